import { expect, test } from 'vitest'
import { callerUser } from '../support/caller-user.ts'
import { startRig } from '../support/rig.ts'

const nobody = { user: null, sessionId: null, token: null, ip: '192.0.2.1', userAgent: '', device: null }
const ada = { ...nobody, user: callerUser('ada') }

test('a call without a socket is checked, limited, executed and answered like a frame', async () => {
  await using rig = await startRig({ limits: { requestMs: 200, anonymousReads: 1 } })
  const { dispatcher } = rig
  const call = async (type: string, data: unknown = {}, caller: typeof ada | typeof nobody = nobody, eid = 'e') => {
    const entry = dispatcher.entries.get(type)
    if (!entry) throw new Error(`there is no ${type}`)
    return dispatcher.call(caller, entry, data, eid)
  }
  const rejected = (code: string) => expect.objectContaining({ name: 'RpcError', code })

  expect(await call('t.echo', { value: 1 })).toEqual({ value: 1 })
  expect(await call('t.whoAmI')).toMatchObject({ username: null, ip: '192.0.2.1' })
  expect(await call('t.input', { move: 1 })).toEqual({})
  await expect(call('t.strict', { list: 7 })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
    issues: [{ path: 'list' }],
  })
  await expect(call('t.secret')).rejects.toEqual(rejected('UNAUTHENTICATED'))
  await expect(call('t.crash')).rejects.toEqual(rejected('INTERNAL'))
  await expect(call('t.onLog', { key: 'a' })).rejects.toEqual(rejected('UNKNOWN_TYPE'))
  await call('t.limited')
  await call('t.limited')
  await expect(call('t.limited')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) })
  expect(await call('t.limited', {}, ada)).toEqual({})

  expect(await call('t.count', {}, ada, 'once')).toEqual({ count: 1 })
  expect(await call('t.count', {}, ada, 'once')).toEqual({ count: 1 })
  for (let i = 0; i < 2; i++) {
    await expect(call('t.count', { fail: true }, ada, 'no')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is no 2',
    })
  }

  await expect(call('t.hang')).rejects.toEqual(rejected('TIMEOUT'))
  await expect(call('t.hang')).rejects.toEqual(rejected('UNAVAILABLE'))
  rig.world.letGo()
  expect(dispatcher.inFlight).toBe(0)
  expect(dispatcher.entries.get('t.echo')).toMatchObject({ stats: { ok: 1, failed: new Map() } })
})
