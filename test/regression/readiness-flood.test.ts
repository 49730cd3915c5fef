import { expect, test } from 'vitest'
import { startRig } from '../support/rig.ts'

test('however many ask whether the server is ready, the database is asked once at a time', async () => {
  let asked = 0
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const ping = () => {
    asked++
    return held
  }
  await using rig = await startRig({ server: { database: { ping } } })
  const answers = Array.from({ length: 20 }, () => fetch(`${rig.url}/readyz`))
  await expect.poll(() => asked).toBeGreaterThan(0)
  // The server handles requests in order: when this one is answered, the earlier ones have asked.
  await fetch(`${rig.url}/healthz`)
  release()
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
  expect(asked).toBe(1)
  await fetch(`${rig.url}/readyz`)
  expect(asked).toBe(2)
})
