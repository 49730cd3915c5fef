import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { method, module } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { create, follow } from '../matches/support.ts'
import { connect, refusal, type TestClient } from '../support/client.ts'
import { openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { Secrets } from '../support/secrets.ts'
import { codeOf, redeem, register } from '../support/server.ts'
import { startWatchedRally } from '../support/watched-rally.ts'

/** The answer of `request`, whose secrets and those of `data` are noted. */
async function ask(secrets: Secrets, client: TestClient, type: string, data: object) {
  secrets.addFrame(JSON.stringify(data))
  const answer = await client.request<Record<string, unknown>>(type, data)
  secrets.addFrame(JSON.stringify(answer))
  return answer
}

test('log, traces and metrics of a run with accounts, failures and a match hold no secret, code, ticket, cookie or name', async () => {
  const rally = await startWatchedRally({ config: { matches: matchTimes() } })
  const { secrets, url } = rally
  const [ada, ben] = [await register(url, 'ada_of_the_run'), await register(url, 'ben_of_the_run')]
  secrets.addPlayer(ada)
  secrets.addPlayer(ben)

  await using stranger = await connect(url)
  // A name that is taken, a wrong code, a code that was used, a recovery code, a wrong one.
  await ask(secrets, stranger, 'auth.begin', { username: ada.username })
  await ask(secrets, stranger, 'auth.verify', { code: '918273' })
  await ask(secrets, stranger, 'auth.verify', { code: codeOf(ada.secret) })
  const [recoveryCode = ''] = ada.recoveryCodes
  const recovered = await ask(secrets, stranger, 'auth.recover', { username: ada.username, recoveryCode })
  expect(recovered.error).toBeUndefined()
  secrets.addCookies(await redeem(url, z.object({ token: z.string() }).parse(recovered.data).token))
  await ask(secrets, stranger, 'auth.recover', { username: ada.username, recoveryCode: 'AAAA-BBBB-CCCC-DDDD' })
  // A ticket that is forged, one that was used, a cookie that proves nothing, and what fits no schema.
  const forged = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.Zm9yZ2Vk'
  secrets.add('ticket', forged)
  for (const token of [forged, z.object({ token: z.string() }).parse(recovered.data).token]) {
    await expect(redeem(url, token)).rejects.toThrow('401')
  }
  secrets.addCookies(`rally=${forged}x`)
  await using unknown = await connect(url, { cookie: `rally=${forged}x` })
  await ask(secrets, unknown, 'auth.begin', { username: 'no name at all!' })
  await ask(secrets, unknown, 'users.nothing', { username: 'nobody_of_the_run' })

  const [first, second] = [await openSocket(rally, ada), await openSocket(rally, ben)]
  const match = await create(first, { game: 'connect-four' })
  const follower = await follow(first, match.id)
  await ask(secrets, second, 'matches.join', { code: match.code })
  await follower.live()
  await ask(secrets, first, 'matches.history', { username: ben.username })
  await ask(secrets, first, 'matches.leave', { matchId: match.id })
  await follower.over()
  // A token that is used, one that is wrong, one that is no token, and one that was revoked.
  const made = await ask(secrets, first, 'auth.createToken', { name: 'bot_of_the_run', scopes: ['read'] })
  const { tokenId, token } = z.object({ tokenId: z.string(), token: z.string() }).parse(made.data)
  secrets.add('name', 'bot_of_the_run')
  await using program = await connect(url, { headers: { Authorization: `Bearer ${token}` } })
  await ask(secrets, program, 'matches.create', { game: 'pong', mode: 'casual' })
  await ask(secrets, first, 'auth.revokeToken', { tokenId })
  for (const wrong of [token, `rally_${'x'.repeat(43)}`, 'bad_token_of_the_run']) {
    secrets.add('ticket', wrong)
    expect((await refusal(url, { headers: { 'X-API-Key': wrong } })).status).toBe(401)
  }
  await ask(secrets, second, 'auth.logout', {})

  const exposed = await rally.exposed()
  const shown = (where: string) =>
    exposed.flatMap((each) => (each.where === where && each.text.includes('auth.recover') ? each.text : []))
  expect(shown('the log').some((line) => line.includes('a request'))).toBe(true)
  expect(shown('the traces')).not.toEqual([])
  expect(shown('the metrics')).not.toEqual([])
  expect(secrets.size).toBeGreaterThan(35)
  expect(secrets.findIn(exposed)).toEqual([])
})

test('a server that leaks is found out: in the message of a line, in a trace', async () => {
  const shared = { access: 'anyone', effect: 'read', limit: { points: 100, perSeconds: 1 } } as const
  const leaky = module({
    name: 'leaky',
    methods: {
      log: method({
        summary: 'Logs a name.',
        ...shared,
        input: z.object({ username: z.string() }),
        output: z.object({}),
        handle({ ctx, input }) {
          ctx.log.info({}, `somebody came: ${input.username}`)
          return {}
        },
      }),
    },
    subscriptions: {},
  })
  const rally = await startWatchedRally({ modules: { ...modules, leaky } })
  const { secrets } = rally
  const code = '604417'
  secrets.add('code', code)
  secrets.add('name', 'zoe_of_the_run')
  const client = await connect(rally.url)
  await client.request('leaky.log', { username: 'zoe_of_the_run' })
  // What a client takes as its own eid is in the log and in the traces.
  await client.request('rpc.ping', {}, { eid: `${randomUUID()} ${code}` })
  const found = secrets.findIn(await rally.exposed())
  expect(found).toContainEqual(expect.stringMatching(/^the name zoe_of_the_run stands in the log/))
  expect(found).toContainEqual(expect.stringMatching(/^the code 604417 stands in the log/))
  expect(found).toContainEqual(expect.stringMatching(/^the code 604417 stands in the traces/))
})

describe('the search', () => {
  const secrets = new Secrets()
  secrets.add('code', '123456')
  secrets.add('name', 'ada')
  secrets.add('ticket', 'eyJ.ticket.of-somebody')
  secrets.add('cookie', 'cookie-of-somebody')
  secrets.add('recovery code', 'ABCD-EFGH')
  const found = (text: string) => secrets.findIn([{ where: 'the log', text }]).length

  test.each([
    ['{"code":"123456"}'],
    ['{"msg":"code=123456, wrong"}'],
    ['rally_requests_total{code="123456"} 1'],
    ['{"deep":[{"user":"Ada"}]}'],
    ['{"Ada":1}'],
    ['{"msg":"xxxeyJ.ticket.of-somebodyxxx"}'],
    ['{"err":{"message":"bad: cookie-of-somebody"}}'],
    ['ABCD-EFGH'],
  ])('finds %s', (text) => expect(found(text)).toBe(1))

  test.each([
    ['{"pid":123456}'],
    ['{"callId":"1a123456"}'],
    ['{"msg":"adapter, Canada"}'],
    ['rally_bytes_total 1234567'],
  ])('does not take %s for a secret', (text) => expect(found(text)).toBe(0))
})
