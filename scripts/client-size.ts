import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** The largest download of the client for a page, minified and gzipped. */
const MAX_BYTES = 10 * 1024

const entry = fileURLToPath(new URL('../src/client/index.ts', import.meta.url))
const built = await build({
  configFile: false,
  logLevel: 'error',
  // No `lib`: as a library it would keep its white space.
  build: {
    write: false,
    modulePreload: false,
    target: 'es2022',
    rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
  },
})

let code = ''
for (const bundle of Array.isArray(built) ? built : [built]) {
  if (!('output' in bundle)) continue
  for (const file of bundle.output) if (file.type === 'chunk') code += file.code
}
if (!code.includes('rpc.welcome')) throw new Error('The client was not built')
const bytes = gzipSync(code, { level: 9 }).length
process.stdout.write(`client: ${code.length} bytes minified, ${bytes} gzipped (at most ${MAX_BYTES})\n`)
if (bytes > MAX_BYTES) process.exitCode = 1
