import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

/** Others are compressed already, or no page loads them. */
const COMPRESSIBLE = /\.(html|js|css|json|svg|txt|webmanifest|wasm)$/
/** Smaller ones fit into one packet anyway. */
const MIN_BYTES = 1024

/** Adds compressed copies, `<name>.br` and `<name>.gz`, to the files of a built page. Rally's server sends them. */
export function precompress(): Plugin {
  let outDir = ''
  return {
    name: 'precompress',
    apply: ({ build }, { command }) => command === 'build' && !build?.watch,
    configResolved({ root, build }) {
      outDir = join(root, build.outDir)
    },
    writeBundle: { order: 'post', handler: () => compressFiles(outDir) },
  }
}

async function compressFiles(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true })
  await Promise.all(
    names
      .filter((name) => COMPRESSIBLE.test(name))
      .map(async (name) => {
        const file = join(folder, name)
        const body = await readFile(file)
        if (body.byteLength < MIN_BYTES) return
        // Brotli's default is its highest quality, gzip's is not.
        const copies = [
          ['br', await promisify(brotliCompress)(body)],
          ['gz', await promisify(gzip)(body, { level: 9 })],
        ] as const
        for (const [kind, copy] of copies)
          if (copy.byteLength < body.byteLength) await writeFile(`${file}.${kind}`, copy)
      }),
  )
}
