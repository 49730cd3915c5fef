import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Tells one run of a process from another that got the same pid later: its start time, with the boot it belongs to.
 * `undefined` when no such process lives (a zombie counts as dead). `unknown` when it lives but its start can't be read.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined
  const stat = await readOptional(`/proc/${pid}/stat`)
  if (stat !== undefined) {
    // The second field, the command in parentheses, may hold anything; fields count from behind it (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const boot = (await readOptional('/proc/sys/kernel/random/boot_id')) ?? ''
    return `${boot.trim()}/${fields[19]}`
  }
  const started = await ps(pid, 'lstart=')
  if (started !== undefined) return started
  return isAlive(pid) ? 'unknown' : undefined
}

/** The command line of a living process, its words separated by spaces; `undefined` when it can't be read. */
export async function processCommand(pid: number): Promise<string | undefined> {
  const line = await readOptional(`/proc/${pid}/cmdline`)
  if (line !== undefined) return line.replaceAll('\0', ' ').trim()
  return ps(pid, 'command=')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', column, '-p', String(pid)], { timeout: 2000, env: { LC_ALL: 'C' } })
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
