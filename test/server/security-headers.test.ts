import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handshake, talk } from '../support/raw-tcp.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let webDir: string
beforeAll(async () => {
  webDir = await mkdtemp(join(tmpdir(), 'rally-page-'))
  await writeFile(join(webDir, 'index.html'), '<!doctype html>')
  await writeFile(join(webDir, 'code.js'), 'let x')
  const config = { publicUrl: 'https://play.example' }
  rig = await startRig({ config, server: { webDir, metrics: async () => 'x 0\n' } })
})
afterAll(async () => {
  await rig.stop()
  await rm(webDir, { recursive: true, force: true })
})

/** One request for each way in which a response is made. */
const requests: readonly (readonly [path: string, init?: RequestInit])[] = [
  ['/'],
  ['/', { method: 'HEAD' }],
  ['/code.js'],
  ['/nothing.js'],
  ['/%ff'],
  ['/healthz'],
  ['/readyz'],
  ['/metrics'],
  ['/ws'],
  ['/session'],
  ['/session', { method: 'OPTIONS' }],
  ['/session', { method: 'DELETE' }],
  ['/session', { method: 'POST', body: '{' }],
  ['/healthz', { method: 'POST', body: 'x' }],
]

test.for(requests)('a response to %s has the headers of all, each once', async ([path, init = {}]) => {
  const { headers } = await fetch(rig.url + path, init)
  expect(Object.fromEntries(headers)).toMatchObject({
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
  })
  const features = headers.get('permissions-policy')?.split(', ')
  expect(features).toEqual(
    expect.arrayContaining(['geolocation=()', 'camera=(self)', 'display-capture=(self)', 'microphone=(self)']),
  )
  const policy = headers.get('content-security-policy') ?? ''
  for (const directive of ["base-uri 'none'", "frame-ancestors 'none'", "default-src '"]) {
    expect(policy.split(directive), directive).toHaveLength(2)
  }
})

test('a refused upgrade has them too', async () => {
  const twoLengths = handshake().replace('\r\n', '\r\nContent-Length: 0\r\nContent-Length: 9\r\n')
  expect(await talk(rig.port, twoLengths)).toMatch(/^HTTP\/1\.1 400 .*X-Content-Type-Options: nosniff/s)
})

test('nobody keeps an answer that is made for one request', async () => {
  for (const [path, init] of requests.slice(3)) {
    const { headers } = await fetch(rig.url + path, init)
    expect(headers.get('cache-control'), path).toBe('no-store')
  }
})

test('the page may run its own scripts, and talk to the socket of the public URL', async () => {
  const policy = (await fetch(rig.url)).headers.get('content-security-policy')
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain("connect-src 'self' wss://play.example;")
  expect(policy).toContain("img-src 'self' data: blob:;")
  expect(policy).toContain("object-src 'none';")
  expect(policy).not.toMatch(/unsafe|\*/)
})

test('what is no page may load nothing', async () => {
  for (const path of ['/healthz', '/nothing.js']) {
    expect((await fetch(rig.url + path)).headers.get('content-security-policy')).toMatch(/^default-src 'none';/)
  }
})

test('without https no response asks for https', async () => {
  await using plain = await startRig()
  for (const path of ['/', '/healthz', '/nothing.js']) {
    expect((await fetch(plain.url + path)).headers.has('strict-transport-security')).toBe(false)
  }
})
