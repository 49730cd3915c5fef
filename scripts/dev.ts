// Runs the sources, with reload: builds the page and keeps it up to date, and starts the server anew with each change of
// the page or of a source. One SIGINT or SIGTERM, to this process or to its group, ends everything.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** Kept as it was given: Vite sets `NODE_ENV` of this process to production when it builds. */
const environment = { ...process.env }
const parent = process.ppid
let server: ChildProcess | undefined
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
  // The first build is done, well or not; later ones start the server anew, as they write index.html.
  if (event.code === 'END' || event.code === 'ERROR') server ??= startServer()
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
// npm does not pass a SIGTERM on through its shell: what ends then is our parent.
setInterval(() => {
  if (process.ppid !== parent) stop()
}, 500)

function startServer(): ChildProcess | undefined {
  if (stopping) return undefined
  const given = existsSync('.env') ? ['--env-file=.env'] : []
  const watch = ['watch', '--clear-screen=false', '--include', 'web/dist/index.html', ...given, 'src/main.ts']
  // A process group of its own: Ctrl-C reaches everything in this one, and a second signal would make the watcher kill
  // the server before it has closed its database.
  const child = spawn(process.execPath, ['node_modules/tsx/dist/cli.mjs', ...watch], {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: environment,
  })
  child.once('exit', (code) => process.exit(stopping ? 0 : (code ?? 1)))
  return child
}

function stop(): void {
  if (stopping) return
  stopping = true
  if (server) server.kill('SIGTERM')
  else process.exit(0)
}
