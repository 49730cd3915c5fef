import { expect, test } from 'vitest'
import { startRig } from '../support/rig.ts'

const PATHS = ['/', '/healthz', '/nothing.js']

test('behind https every response tells the browser to use https only', async () => {
  await using rig = await startRig({ config: { publicUrl: 'https://play.example' } })
  for (const path of PATHS) {
    const { headers } = await fetch(rig.url + path)
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000')
  }
})

test('without https none does', async () => {
  await using rig = await startRig()
  for (const path of PATHS) expect((await fetch(rig.url + path)).headers.has('strict-transport-security')).toBe(false)
})
