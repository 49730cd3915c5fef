import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { AddonError, EXCLUSIVE_PORT, loadUws } from '../../src/server/uws.ts'

type Uws = Awaited<ReturnType<typeof loadUws>>

/** The installed binary in a package like upstream's: CommonJS, which exports the addon itself. */
async function upstreamPackage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rally-addon-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const installed = dirname(import.meta.resolve('uWebSockets.js').replace('file://', ''))
  const { platform, arch, versions } = process
  const binary = join(installed, 'bin', `uws_${platform}_${arch}_${versions.modules}.node`)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'uWebSockets.js', main: 'uws.js' }))
  const exported = `module.exports = require(${JSON.stringify(binary)})\nmodule.exports.DeclarativeResponse = class {}\n`
  await writeFile(join(folder, 'uws.js'), exported)
  return createRequire(join(folder, 'uws.js')).resolve(folder)
}

async function answers(uws: Uws): Promise<string> {
  const app = uws.App()
  onTestFinished(() => {
    app.close()
  })
  app.get('/*', (res) => {
    res.end('served')
  })
  const port = await new Promise<number>((resolve, reject) => {
    app.listen('127.0.0.1', 0, EXCLUSIVE_PORT, (socket) => {
      if (socket === false) reject(new Error('it does not listen'))
      else resolve(uws.us_socket_local_port(socket))
    })
  })
  return (await fetch(`http://127.0.0.1:${port}/`)).text()
}

test('the package of the npm registry serves', async () => {
  expect(await answers(await loadUws())).toBe('served')
})

test("upstream's package serves", async () => {
  const file = pathToFileURL(await upstreamPackage()).href
  expect(await answers(await loadUws(() => import(/* @vite-ignore */ file)))).toBe('served')
})

test('without a binary one line names the command that installs one for a newer Node', async () => {
  const failed = await loadUws(() => Promise.reject(new Error('no binary')), '24.1.0').catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(AddonError)
  expect(String(failed)).toMatch(
    /Node 24\.1\.0.*npm install --no-save "uWebSockets\.js@github:uNetworking\/uWebSockets\.js#v/,
  )
  expect(String(failed)).not.toContain('\n')
  await expect(loadUws(() => Promise.reject(new Error('no binary')), '20.19.0')).rejects.toThrow(/20\.19\.0.*glibc/)
})
