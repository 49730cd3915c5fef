import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startServerProcess } from '../fuzz/server-process.ts'
import { connect } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { openTcp } from '../support/raw-tcp.ts'
import { register } from '../support/server.ts'

test('silent connections do not use up the files that sign-ins need', { timeout: 60_000 }, async () => {
  await using database = await createTestDatabase()
  const server = await startServerProcess({ DATABASE_URL: database.url }, { openFiles: 200 })
  onTestFinished(() => server.stop().then(() => undefined))
  const { port } = new URL(server.url)
  const silent: Socket[] = []
  const destroyAll = () => {
    for (const tcp of silent) tcp.destroy()
  }
  onTestFinished(destroyAll)

  await using early = await connect(server.url)
  for (let i = 0; i < 300; i++) silent.push(await openTcp(Number(port)))
  // The first query opens new connections to the database.
  expect(await early.request('auth.begin', { username: 'ada' })).toMatchObject({ data: { status: 'candidate' } })
  await expect.poll(() => silent.filter((tcp) => tcp.closed).length).toBeGreaterThan(100)

  destroyAll()
  await expect.poll(() => register(server.url, 'bob').then(({ username }) => username, String)).toBe('bob')
  const said = server.errors.map((line) => JSON.parse(line).msg)
  expect(said).toEqual(['connections are refused'])
})
