import type { Module } from '../../src/rpc/index.ts'
import { create, startLive } from '../matches/support.ts'
import type { TestClient } from '../support/client.ts'
import type { Newcomer } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'

/** What a caller gets: an answer, or the code of an error. */
export type Answer = 'ok' | (string & {})

/** Who there is. */
export interface World {
  readonly rally: Rally
  /** Whose matches, values and the like the inputs name. */
  readonly owner: Newcomer
  readonly other: Newcomer
  readonly admin: Newcomer
  /** A new user. */
  newcomer(): Promise<Newcomer>
}

/** Who may call one definition. What follows from its `access` and `scope` is not repeated here. */
export interface AccessCase {
  /** What it is asked with: made again for each caller, and on their socket where it needs one. Default: nothing. */
  readonly input?: (world: World, caller: TestClient) => object | Promise<object>
  /** What the user gets whose things the input names. Default: `ok`. */
  readonly owner?: Answer
  /** What another user gets. */
  readonly other: Answer
  /** What a caller without a user gets where anyone may call. Default: as another user. */
  readonly anonymous?: Answer
  /** What an admin gets. Default: `ok` where it is for admins, else as another user. */
  readonly admin?: Answer
  /** The caller is new each time: it ends their session, or is the first that their socket asks. */
  readonly isAlone?: true
}

/** The cases of all definitions of a module: it does not compile without one. */
export type AccessOf<M extends Module> = {
  readonly [Name in (keyof M['methods'] | keyof M['subscriptions']) & string]: AccessCase
}

/** What another user may do as the owner may. */
export const everybody: AccessCase = { other: 'ok' }

/** A new waiting match of the owner. */
export async function waitingMatch({ owner }: World): Promise<{ matchId: string }> {
  return { matchId: (await create(owner.client)).id }
}

/** A new live match of the owner against the bot. */
export async function liveMatch({ owner }: World): Promise<{ matchId: string }> {
  const { latest } = await startLive(owner.client, { mode: 'bot' })
  return { matchId: latest.id }
}

/** A new finished match of the owner. */
export async function finishedMatch({ owner }: World): Promise<{ matchId: string }> {
  const follower = await startLive(owner.client, { mode: 'bot' })
  const match = { matchId: follower.latest.id }
  await owner.client.call('matches.leave', match)
  await follower.over()
  return match
}

/** The id of a new user. */
export async function newUser(world: World): Promise<{ userId: string }> {
  const { player } = await world.newcomer()
  return { userId: player.id }
}
