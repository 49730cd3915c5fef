import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const Started = z.object({ port: z.number() })
const Usage = z.object({ cpuMicros: z.number(), rssBytes: z.number() })
export type Usage = z.infer<typeof Usage>

const DEADLINE_MS = 60_000

/** A server under measurement, in a process and on a core of its own. */
export interface ServerProcess {
  readonly port: number
  readonly process: ChildProcess
  /** Sends a question of the benchmark's own and gives the answer. */
  ask(question: unknown): Promise<unknown>
  usage(): Promise<Usage>
  /** How long its main thread could have run, but something else had the core, ms since its start; NaN where that is not told. */
  waitedMs(): number
  stop(): Promise<void>
}

/** Pins this process to `core`, so that the load it makes takes nothing from the server. */
export function pinSelf(core: number): boolean {
  return pin(process.pid, core, ['-a'])
}

export async function startServer(
  file: string,
  core: number,
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env, NODE_ENV: 'production' },
  })
  const { port } = Started.parse(await nextMessage(child))
  // Its main thread alone, once the others exist: V8's helpers, which mark garbage for tens of milliseconds at a time,
  // stay on the other core.
  if (child.pid !== undefined) pin(child.pid, core)
  const ask = async (question: unknown) => {
    const answer = nextMessage(child)
    child.send(question as object)
    return await answer
  }
  return {
    port,
    process: child,
    ask,
    usage: async () => Usage.parse(await ask({ ask: 'usage' })),
    waitedMs: () => waitedMs(child.pid),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
    },
  }
}

function waitedMs(pid: number | undefined): number {
  try {
    // Nanoseconds on the core, nanoseconds in the queue, slices.
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6
  } catch {
    return Number.NaN
  }
}

function pin(pid: number, core: number, options: readonly string[] = []): boolean {
  try {
    execFileSync('taskset', [...options, '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error('the server process said nothing'))), DEADLINE_MS)
    const onExit = () => done(() => reject(new Error('the server process ended')))
    const onMessage = (message: unknown) => done(() => resolve(message))
    child.once('message', onMessage)
    child.once('exit', onExit)
    function done(settle: () => void): void {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('exit', onExit)
      settle()
    }
  })
}
