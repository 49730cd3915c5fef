import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { newcomer } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, seatTwo, startQuickRally } from './support.ts'

/** The next commits happen, and their connections break before that is heard of. */
function loseAnswers(rally: Rally, count: number): { readonly lost: number } {
  const { database } = rally.app.platform
  const { transaction } = database
  let left = count
  Object.assign(database, {
    async transaction(work: Parameters<typeof transaction>[0]) {
      const result = await transaction.call(database, work)
      if (left === 0) return result
      left--
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    },
  })
  return {
    get lost() {
      return count - left
    },
  }
}

test.concurrent('a match begins and is announced when the answer to the commit of its claim is lost', async () => {
  await using rally = await startQuickRally()
  const { follower } = await seatTwo(rally)
  const answers = loseAnswers(rally, 1)
  await follower.live()
  expect(answers.lost).toBe(1)
  expect(rally.app.platform.engine.size).toBe(1)
})

test.concurrent('a match whose claim was never answered is found by the comparison, and runs', async () => {
  await using rally = await startQuickRally({ countdownMs: 1_000 })
  const { client } = await newcomer(rally)
  const match = await create(client, { mode: 'local' })
  const follower = await follow(client, match.id)
  // As often as a transaction is tried.
  loseAnswers(rally, 5)
  await follower.live(15_000)
  await eventually(
    async () => rally.app.platform.engine.size,
    (size) => size === 1,
  )
}, 30_000)

test.concurrent('a result is announced once when the answer to its commit is lost', async () => {
  await using rally = await startQuickRally()
  const { first, second, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
  await follower.live()
  const answers = loseAnswers(rally, 1)
  await playConnectFour([first.client, second.client], matchId)
  expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
  expect(answers.lost).toBe(1)
  await eventually(
    async () => rally.app.platform.engine.size,
    (size) => size === 0,
  )
})

test.concurrent("a player's coming and going is announced when the answer to the commit is lost", async () => {
  await using rally = await startQuickRally()
  const [goer, watcher] = [await newcomer(rally), await newcomer(rally)]
  const follower = await follow(watcher.client, (await create(goer.client)).id)
  const answers = loseAnswers(rally, 6)
  await goer.drop()
  await follower.until(({ players }) => players[0]?.connected === false)
  expect(answers.lost).toBe(6)
})

test.concurrent('the end of a match that nobody joined is announced when the answer to the commit is lost', async () => {
  await using rally = await startQuickRally({ maxWaitMs: 1_000, emptyMs: 500 })
  const { client } = await newcomer(rally)
  const follower = await follow(client, (await create(client)).id)
  loseAnswers(rally, 1)
  expect(await follower.over()).toMatchObject({ status: 'aborted', endReason: 'nobody-came' })
})
