import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Log } from '../../logger.ts'

/** How often a process that is not our child is checked, while it is expected to change and at other times. */
export const POLL_MS = 20
const WATCH_MS = 1_000
/** How long an immediate shutdown may take. */
export const QUIT_TIMEOUT_MS = 5000

/** A running Postgres. `child` is absent when it was adopted. */
export interface Server {
  readonly pid: number
  readonly port: number
  readonly child?: ChildProcess
}

/** Runs one of Postgres' programs in a session of its own. It can write to standard error only. */
export function run(
  file: string,
  args: string[],
  env: Readonly<Record<string, string>>,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): ChildProcess {
  return spawn(file, args, {
    ...(owner && { uid: owner.uid, gid: owner.gid }),
    env: { ...env },
    // Postgres' user may not be allowed to enter our working directory.
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
    // Otherwise Ctrl-C would stop the database before Rally has drained.
    detached: true,
  })
}

/** Passes Postgres' output to the log, and keeps the last lines to explain a failure. */
export function collectLines(child: ChildProcess, log: Log, onLine?: (line: string) => void): string[] {
  const kept: string[] = []
  if (!child.stderr) return kept
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.debug({ postgres: line }, 'postgres')
    kept.push(line)
    if (kept.length > 20) kept.shift()
    onLine?.(line)
  })
  return kept
}

/** Aborts at `deadline`, in ms of the monotonic clock, or with `signal`. */
export function until(deadline: number, signal?: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(Math.ceil(Math.max(deadline - performance.now(), 0)))
  if (!signal) return late
  // Node 20's `any` holds its sources weakly: without a listener `late` may be collected and never abort.
  late.addEventListener('abort', () => undefined, { once: true })
  return AbortSignal.any([late, signal])
}

/** How a process ended: its exit code or its signal. An error when it could not start or did not end. */
export async function outcomeOf(child: ChildProcess, signal: AbortSignal): Promise<number | string | Error> {
  try {
    await once(child, 'close', { signal })
    return child.exitCode ?? child.signalCode ?? 'ended'
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Resolves when the server has ended. Rejects when `signal` aborts before that. */
export async function ended({ pid, child }: Server, signal: AbortSignal, pollMs = WATCH_MS): Promise<void> {
  if (child) {
    if (!hasEnded(child)) await once(child, 'exit', { signal })
    return
  }
  const before = await processIdentity(pid)
  while (before !== undefined && (await processIdentity(pid)) === before) await delay(pollMs, undefined, { signal })
}

/** A fast shutdown and, after the deadline, an immediate one, from which the next start recovers. */
export async function shutDown(server: Server, timeoutMs: number): Promise<void> {
  const steps = [['SIGINT', timeoutMs] as const, ['SIGQUIT', QUIT_TIMEOUT_MS] as const]
  for (const [signal, limitMs] of steps) {
    if ((server.child && hasEnded(server.child)) || !sendSignal(server.pid, signal)) return
    try {
      return await ended(server, until(performance.now() + limitMs), POLL_MS)
    } catch {
      // It is stopped in a harder way.
    }
  }
  throw new Error(`Postgres ${server.pid} does not end`)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false
    throw error
  }
}

const execute = promisify(execFile)

/**
 * Distinguishes a process from a later one with the same pid: its boot and start time. `undefined` when no such process
 * lives (a zombie counts as dead), `unknown` when it lives but its start time cannot be read.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat !== undefined) {
    // The second field, the command in parentheses, may hold any characters. So fields are counted after it (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    return `${boot.trim()}/${fields[19]}`
  }
  const started = await ps(pid, 'lstart=')
  if (started !== undefined) return started
  return isAlive(pid) ? 'unknown' : undefined
}

/** The command line of a living process, with spaces between its words; `undefined` when it cannot be read. */
export async function processCommand(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return line?.replaceAll('\0', ' ').trim() ?? ps(pid, 'command=')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

async function ps(pid: number, column: string): Promise<string | undefined> {
  try {
    const { stdout } = await execute('ps', ['-o', column, '-p', String(pid)], { timeout: 2000, env: { LC_ALL: 'C' } })
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}

/** The text of a file; `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whether an error has this code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
