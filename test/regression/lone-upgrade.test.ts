import { expect, test } from 'vitest'
import { startServerProcess } from '../fuzz/server-process.ts'
import { connect } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { startRig } from '../support/rig.ts'
import { register } from '../support/server.ts'

test('a signed-in socket that is alone on its server opens without a warning of uWebSockets.js', async () => {
  await using database = await createTestDatabase()
  const server = await startServerProcess({ DATABASE_URL: database.url })
  try {
    const { cookie } = await register(server.url, 'ada')
    await using client = await connect(server.url, { cookie })
    expect(client.welcome.user).toMatchObject({ username: 'ada' })
  } finally {
    await server.stop()
  }
  expect(server.errors).toEqual([])
})

test('no socket is cut when it opens, whatever memory its first frames take', async () => {
  await using rig = await startRig({ limits: { socketsPerIp: 1_000, timesPerUser: 1_000, upgradesBurst: 1_000 } })
  const cookie = await rig.cookieOf('ada')
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => connect(rig.url, { cookie })))
    const answers = await Promise.all(clients.map((client) => client.call('rpc.ping')))
    expect(answers).toHaveLength(40)
    await Promise.all(clients.map((client) => client.close()))
  }
  expect(rig.server.stats.closed.get(1006)).toBeUndefined()
})
