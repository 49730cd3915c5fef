import { kill } from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { type Player, register } from '../support/server.ts'
import { Installation, type Made } from './installation.ts'
import { onDifferentReplicas, type PlayedMatch, playConnectFour, StayingClient, storedResult } from './players.ts'
import { type Registry, startRegistry } from './registry.ts'

const BACK_WITHIN_MS = 2_000

let registry: Registry
let installation: Installation
let ada: Player
let ben: Player
let staying: StayingClient[] = []
let result: PlayedMatch

beforeAll(async () => {
  registry = await startRegistry()
  installation = await Installation.clone(registry.address)
})
afterAll(async () => {
  await Promise.all(staying.map((each) => each.leave()))
  await installation?.remove()
  await registry?.stop()
})

/** Both replicas serve this version, and docker-compose.yml names it. */
async function expectRunning(version: string): Promise<void> {
  const { output } = await installation.make('status')
  expect(output).toContain(`app-1: ready ${version}\napp-2: ready ${version}\n`)
  expect(await installation.read('docker-compose.yml')).toContain(`&image ${registry.address}/rally:${version} `)
}

test('make names a missing and a malformed version', async () => {
  expect(await installation.make('build')).toMatchObject({ code: 2, output: expect.stringContaining('V is missing') })
  const malformed = await installation.make('deploy', { V: 'newest' })
  expect(malformed).toMatchObject({ code: 2, output: expect.stringContaining('V=newest is no version') })
})

test('make build and make run start a healthy installation from a fresh clone', async () => {
  expect((await installation.make('build', { V: '0.2.0' })).code).toBe(0)
  expect((await installation.make('run')).code).toBe(0)
  await expectRunning('0.2.0')
  const health = async () => {
    const containers = [...(await installation.containers())]
    return Object.fromEntries(containers.map(([service, { State }]) => [service, State.Health?.Status]))
  }
  const healthy = { 'app-1': 'healthy', 'app-2': 'healthy', caddy: 'healthy', postgres: 'healthy', redis: 'healthy' }
  await expect.poll(health, { timeout: 30_000, interval: 500 }).toEqual(healthy)
  const page = await fetch(installation.url)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
})

test('containers have few rights and bounds, and the database cannot be reached from outside', async () => {
  const containers = await installation.containers()
  for (const [service, { HostConfig }] of containers) {
    const { CapDrop, SecurityOpt, Memory, PidsLimit } = HostConfig
    expect({ service, CapDrop, SecurityOpt }).toEqual({
      service,
      CapDrop: ['ALL'],
      SecurityOpt: [expect.stringMatching(/^no-new-privileges/)],
    })
    expect(Math.min(Memory, PidsLimit)).toBeGreaterThan(0)
  }
  for (const replica of ['app-1', 'app-2']) {
    const rally = containers.get(replica)
    expect([rally?.Config.User, rally?.HostConfig.ReadonlyRootfs]).toEqual(['node', true])
  }
  for (const service of ['postgres', 'redis', 'app-1', 'app-2']) {
    const ports = Object.values(containers.get(service)?.NetworkSettings.Ports ?? {})
    expect(ports.filter((published) => published !== null)).toEqual([])
  }
})

test('two players on different replicas play a match', async () => {
  ada = await register(installation.url, 'ada')
  ben = await register(installation.url, 'ben')
  const sockets = await onDifferentReplicas(installation.url, ada, ben)
  const { matchId } = await playConnectFour(...sockets)
  result = await storedResult(sockets[0], matchId)
  expect(result).toMatchObject({ status: 'finished', winnerSeat: 0 })
  staying = [ada, ben].map((player, index) => new StayingClient(installation.url, player, sockets[index ? 1 : 0]))
})

test(`make deploy replaces both replicas, and every socket is back within ${BACK_WITHIN_MS} ms`, async () => {
  const before = new Set(staying.map(({ welcome }) => welcome.node))
  expect(await installation.make('deploy', { V: '0.2.1' })).toMatchObject({ code: 0 })
  await expectRunning('0.2.1')
  expect(await registry.versions()).toEqual(['0.2.1'])
  for (const { welcome, closeCodes, gapsMs } of staying) {
    expect([welcome.version, before.has(welcome.node)]).toEqual(['0.2.1', false])
    expect(new Set(closeCodes)).toEqual(new Set([4000]))
    console.log(`figure: a socket away during a deploy ${Math.max(...gapsMs)} ms`)
    expect(Math.max(...gapsMs)).toBeLessThan(BACK_WITHIN_MS)
  }
})

/** Makes an image that migrates the database and then listens where nobody asks. */
const BROKEN = `
USER root
RUN mkdir prisma/migrations/29990101000000_newer \\
 && echo 'CREATE TABLE newer ()' >prisma/migrations/29990101000000_newer/migration.sql
USER node
CMD ["sh", "-c", "PORT=9999 exec node dist/main.js"]
`

test('a version that does not become ready is rolled back, and make says so', async () => {
  await installation.append('Dockerfile', BROKEN)
  const untouched = (await installation.containers()).get('app-2')?.Id
  const failed = await installation.make('deploy', { V: '0.2.2', READY_SECONDS: '20' })
  await installation.checkout('Dockerfile')
  expect(failed.code).not.toBe(0)
  expect(failed.output).toContain(`Rolled back: ${registry.address}/rally:0.2.1 runs again`)
  await expectRunning('0.2.1')
  expect((await installation.containers()).get('app-2')?.Id).toBe(untouched)
  // The former version runs on the schema of the newer one.
  expect(await installation.logs('app-1')).toContain('29990101000000_newer')
  expect(Math.max(...staying.flatMap(({ gapsMs }) => gapsMs))).toBeLessThan(BACK_WITHIN_MS)
})

test('a second command leaves a deploy alone, and an interrupted one goes back to the version before', async () => {
  expect((await installation.make('version', { V: '0.2.0' })).code).toBe(0)
  const { child, output } = installation.start('run')
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)))
  await expect.poll(output, { timeout: 60_000, interval: 50 }).toContain('Recreat')
  const second = await installation.make('deploy', { V: '0.2.3' })
  expect(second).toMatchObject({ code: 2, output: expect.stringContaining('Another command is changing') })
  expect(await installation.read('docker-compose.yml')).toContain('rally:0.2.0 ')
  // As Ctrl-C does: to the whole group.
  if (child.pid !== undefined) kill(-child.pid, 'SIGINT')
  expect(await within(closed, 'the end of make run', 120_000)).not.toBe(0)
  await expectRunning('0.2.1')
})

test('after make clean a whole backup brings users and results back, whoever else uses the database', async () => {
  expect((await installation.make('backup')).code).toBe(0)
  const [backup = ''] = await installation.backups()
  await Promise.all(staying.map((each) => each.leave()))
  staying = []
  expect(await installation.make('clean')).toMatchObject({ code: 2, output: expect.stringContaining('YES=1') })
  expect((await installation.make('clean', { YES: '1' })).code).toBe(0)
  expect((await installation.containers()).size).toBe(0)

  const cut = await installation.make('restore', { FILE: await installation.cut(backup), YES: '1' })
  expect(cut).toMatchObject({ code: 2, output: expect.stringContaining('The restore failed') })
  await installation.query('SELECT pg_sleep(600)')
  expect((await installation.make('restore', { FILE: backup, YES: '1' })).code).toBe(0)
  await expectRunning('0.2.1')
  await using client = await connect(installation.url, { cookie: ben.cookie })
  expect(client.welcome.user?.username).toBe('ben')
  const { items } = await client.call<{ items: PlayedMatch[] }>('matches.history')
  expect(items).toEqual([expect.objectContaining({ id: result.id, winnerSeat: 0, players: result.players })])
})

test('make stop lets players finish their match, and every replica exit with 0', async () => {
  const sockets = await onDifferentReplicas(installation.url, ada, ben)
  let stopped: Promise<Made> | undefined
  const { sawEnd } = await playConnectFour(...sockets, async () => {
    stopped = installation.make('stop')
    const status = async () => (await fetch(`${installation.url}/readyz`)).status
    await expect.poll(status, { timeout: 30_000 }).toBe(503)
  })
  expect(sawEnd).toEqual([true, true])
  expect(await stopped).toMatchObject({ code: 0 })
  const containers = await installation.containers()
  for (const replica of ['app-1', 'app-2']) {
    expect(containers.get(replica)?.State).toMatchObject({ Status: 'exited', ExitCode: 0 })
  }
})
