import { expect, test } from 'vitest'
import { module, service } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { newAdmin } from '../support/admins.ts'
import { newcomers } from '../support/newcomers.ts'
import { startRally } from '../support/server.ts'

test('a module of the application takes part in bans and removals, after those of Rally', async () => {
  const calls: [string, string][] = []
  const clubs = service('clubs', () => ({
    async leaveAll(scope, userId) {
      const members = await scope.db.roomMember.count({ where: { userId, leftAt: null } })
      calls.push([`left, in ${members} rooms`, userId])
    },
    async forget(scope, userId) {
      await scope.db.user.findUniqueOrThrow({ where: { id: userId } })
      calls.push(['forgotten', userId])
    },
  }))
  const own = module({ name: 'clubs', service: clubs, methods: {}, subscriptions: {} })
  await using rally = await startRally({ modules: { ...modules, clubs: own } })
  const [[bad, gone], chief] = [await newcomers(rally, 2), await newAdmin(rally)]
  for (const { client } of [bad, gone]) await client.call('rooms.create', { name: 'mine', kind: 'chat' })
  await chief.client.call('admin.ban', { userId: bad.player.id, reason: 'spam' })
  expect(calls).toEqual([['left, in 0 rooms', bad.player.id]])
  await gone.client.call('users.remove')
  expect(calls.slice(1)).toEqual([
    ['left, in 0 rooms', gone.player.id],
    ['forgotten', gone.player.id],
  ])
})
