import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { within } from '../support/client.ts'

const ENTRY = fileURLToPath(new URL('./fuzzed-server.ts', import.meta.url))
const MAX_LOG = 10_000
/** pino's number for errors. */
const ERROR = 50

const Started = z.object({ url: z.string() })
const Usage = z.object({ inFlight: z.number(), heapUsed: z.number(), rss: z.number(), external: z.number() })
const LogLine = z.looseObject({
  level: z.number(),
  late: z.boolean().optional(),
  err: z.looseObject({ type: z.string().optional() }).optional(),
})

/** Memory in bytes after a garbage collection, and requests under way. */
export type Usage = z.infer<typeof Usage>

/** A Rally in a process of its own. */
export interface ServerProcess {
  readonly url: string
  readonly port: number
  /** Lines that it logged as errors, and its standard error. */
  readonly errors: readonly string[]
  /** Set when it has ended. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null
  usage(): Promise<Usage>
  /** Stops it as a signal would, and gives the exit code. */
  stop(): Promise<number | null>
}

/** `openFiles`: its limit of open files, connections included. Default: that of its parent. */
export async function startServerProcess(
  environment: Readonly<Record<string, string>>,
  { openFiles }: { readonly openFiles?: number } = {},
): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-fuzz-'))
  const bound = openFiles === undefined ? '' : `ulimit -n ${openFiles}; `
  const child = spawn('sh', ['-c', `${bound}exec "$@"`, 'sh', process.execPath, '--import', 'tsx', ENTRY], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'warn', DATA_DIR: dataDir, ...environment },
  })
  const errors: string[] = []
  const note = (line: string) => {
    if (errors.length < MAX_LOG) errors.push(line)
  }
  if (!child.stdout || !child.stderr) throw new Error('the server process has no output')
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (isError(line)) note(line)
  })
  createInterface({ input: child.stderr }).on('line', note)
  let exit: ServerProcess['exit'] = null
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal }
      resolve()
    })
  })
  const answer = () =>
    within(
      Promise.race([
        new Promise<unknown>((resolve) => child.once('message', resolve)),
        exited.then(() => {
          throw new Error(`the server has ended: ${JSON.stringify(exit)}\n${errors.join('\n')}`)
        }),
      ]),
      'the answer of the server process',
      30_000,
    )
  const { url } = Started.parse(await answer())
  return {
    url,
    port: Number(new URL(url).port),
    errors,
    get exit() {
      return exit
    },
    async usage() {
      const answered = answer()
      child.send('usage')
      return Usage.parse(await answered)
    },
    async stop() {
      if (exit === null) child.send('stop')
      try {
        await within(exited, 'the end of the server process', 15_000)
      } finally {
        child.kill('SIGKILL')
        await rm(dataDir, { recursive: true, force: true })
      }
      return exit?.code ?? null
    },
  }
}

/** Whether a line is an error in the log, or no log line. A refusal of a client is none, nor is what a slow machine delays. */
function isError(line: string): boolean {
  try {
    const { level, late, err } = LogLine.parse(JSON.parse(line))
    return level >= ERROR && late !== true && err?.type !== 'DeadlineError'
  } catch {
    return true
  }
}
