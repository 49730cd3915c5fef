// Runs the sources: builds the page, then keeps it and the server up to date with every change. Ctrl-C ends both.
import { type ChildProcess, spawn } from 'node:child_process'

const vite = ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'warn']
const server = ['node_modules/tsx/dist/cli.mjs', 'watch', '--clear-screen=false', '--include', 'web/dist/index.html']

const run = (args: readonly string[]): ChildProcess => spawn(process.execPath, args, { stdio: 'inherit' })
const exited = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))

const built = await exited(run(vite))
if (built !== 0) process.exit(built)

const children = [run([...vite, '--watch', '--emptyOutDir=false']), run([...server, 'src/main.ts'])]
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // From a terminal the children have the signal already; whoever signals this process alone reaches them so.
  process.on(signal, () => {
    for (const child of children) child.kill(signal)
  })
}
const codes = await Promise.all(children.map(exited))
process.exit(Math.max(...codes))
