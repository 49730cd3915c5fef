import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Rig, startRig } from '../support/rig.ts'

let webDir: string
let rig: Rig

beforeAll(async () => {
  webDir = await mkdtemp(join(tmpdir(), 'rally-places-'))
  await writeFile(join(webDir, 'index.html'), '<!doctype html><title>the page</title>')
  await writeFile(join(webDir, '404.html'), '<!doctype html><title>out</title>')
  await writeFile(join(webDir, 'places.txt'), '/\n/history\n/m/*\n\n')
  rig = await startRig({ server: { webDir } })
})
afterAll(async () => {
  await rig.stop()
  await rm(webDir, { recursive: true, force: true })
})

test.for(['/', '/history', '/history/', '/history?from=1', '/m/7', '/m/a%20b', '/m/a.b', '/m/a%2Fb'])(
  '%s is a place of the page',
  async (path) => {
    const answer = await fetch(rig.url + path)
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('the page')])
  },
)

test.for(['/docs', '/m', '/m/7/8', '/rpcs/begin', '/History', '/historyx', '/*'])(
  '%s is none, and a 404 in the page’s own words',
  async (path) => {
    const answer = await fetch(rig.url + path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(await answer.text()).toContain('<title>out</title>')
    const head = await fetch(rig.url + path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([404, ''])
  },
)

test.for(['/openapi.json', '/assets/gone.js', '/m.txt'])(
  '%s names a file that is not there, which is told as an error of the protocol',
  async (path) => {
    const answer = await fetch(rig.url + path)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: 'NOT_FOUND' })
  },
)

test('without a page for it the answer is short', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'rally-places-'))
  await writeFile(join(bare, 'index.html'), 'the page')
  await writeFile(join(bare, 'places.txt'), '/')
  await using other = await startRig({ server: { webDir: bare } })
  expect(await (await fetch(other.url)).text()).toBe('the page')
  const answer = await fetch(`${other.url}/docs`)
  expect([answer.status, await answer.json()]).toEqual([
    404,
    { error: 'NOT_FOUND', data: { message: expect.any(String) } },
  ])
  await rm(bare, { recursive: true, force: true })
})
