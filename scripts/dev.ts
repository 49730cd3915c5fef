// Runs the sources, with reload: builds the page and keeps it up to date, and restarts the server after each change of
// the page or of a source. `NODES=3` starts three nodes behind one URL. One SIGINT or SIGTERM, to this process or to its
// group, ends everything.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { type SharedByNodes, startShared } from './dev-nodes.ts'
import { loadEnvFile } from './env-file.ts'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

loadEnvFile()
/** The given values: Vite sets `NODE_ENV` of this process to production when it builds. A reload does not wait for matches. */
const environment: NodeJS.ProcessEnv = { DRAIN_SECONDS: '0', ...process.env }
const parent = process.ppid
const count = Number(environment.NODES ?? 1)
let sharing: Promise<SharedByNodes | null> | undefined
const servers: ChildProcess[] = []
let stopping = false

// Emptied here and not by each build, which would be three changes of the page instead of one.
rmSync('web/dist', { recursive: true, force: true })
const page = await build({
  configFile: 'web/vite.config.ts',
  logLevel: 'warn',
  build: { watch: {}, emptyOutDir: false },
})
if (!('on' in page)) throw new Error('Vite does not watch the page')
page.on('event', (event) => {
  if (event.code === 'BUNDLE_END' || event.code === 'ERROR') void event.result?.close()
  // The first build is done, well or not; later ones restart the server, because they write index.html.
  if ((event.code === 'END' || event.code === 'ERROR') && !sharing) startServers().catch(fail)
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
// npm does not pass a SIGTERM on through its shell: only our parent ends.
setInterval(() => {
  if (process.ppid !== parent) void stop()
}, 500)

async function startServers(): Promise<void> {
  sharing = count > 1 ? startShared(count, environment) : Promise.resolve(null)
  const shared = await sharing
  if (stopping) return
  if (!shared) {
    servers.push(startServer(environment, 'inherit'))
    return
  }
  const nodes = shared.environments.map((each) => startServer(each, 'pipe'))
  servers.push(...nodes)
  await Promise.all(nodes.map((node, index) => passOn(node, index + 1)))
  await shared.listen()
  process.stdout.write(`\nRally is ready at ${shared.url}, on ${count} nodes\n\n`)
}

/** Passes on a node's output, except that it is ready: then it resolves. */
function passOn({ stdout }: ChildProcess, number: number): Promise<void> {
  return new Promise((resolve) => {
    if (!stdout) return
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('Rally is ready')) resolve()
      else if (line !== '') process.stdout.write(`node ${number}: ${line}\n`)
    })
  })
}

function startServer(env: NodeJS.ProcessEnv, stdout: 'inherit' | 'pipe'): ChildProcess {
  const watch = ['watch', '--clear-screen=false', '--include', 'web/dist/index.html', 'src/main.ts']
  // A process group of its own: Ctrl-C reaches everything in this one, and a second signal would make the watcher kill
  // the server before it has closed its database.
  const child = spawn(process.execPath, ['node_modules/tsx/dist/cli.mjs', ...watch], {
    stdio: ['ignore', stdout, 'inherit'],
    detached: true,
    env,
  })
  child.once('exit', (code) => void stop(code ?? 1))
  return child
}

/** Ends the servers, then what they share. */
async function stop(code = 0): Promise<void> {
  if (stopping) return
  stopping = true
  const shared = await sharing?.catch(() => null)
  for (const server of servers) server.kill('SIGTERM')
  await Promise.all(servers.map(exited))
  await shared?.close()
  process.exit(code)
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  void stop(1)
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
