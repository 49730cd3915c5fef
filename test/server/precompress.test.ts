import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { precompress } from '../../web/precompress.ts'

test('a build of the page leaves compressed copies beside its files, but not of small ones', async () => {
  const root = await mkdtemp(join(tmpdir(), 'rally-precompress-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await writeFile(join(root, 'index.html'), '<!doctype html><script type="module" src="./main.js"></script>')
  await writeFile(join(root, 'main.js'), `document.title = ${JSON.stringify('rally '.repeat(500))}`)
  await build({ root, configFile: false, logLevel: 'error', plugins: [precompress()] })

  const assets = join(root, 'dist', 'assets')
  const [script = '', ...copies] = (await readdir(assets)).toSorted()
  expect(copies).toEqual([`${script}.br`, `${script}.gz`])
  const [body, br, gz] = await Promise.all([script, ...copies].map((name) => readFile(join(assets, name))))
  if (!body || !br || !gz) throw new Error('a file is missing')
  expect(brotliDecompressSync(br).equals(body)).toBe(true)
  expect(gunzipSync(gz).equals(body)).toBe(true)
  expect(await readdir(join(root, 'dist'))).toEqual(['assets', 'index.html'])
})
