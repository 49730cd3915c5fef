import { matchService, type matches as module } from '../../src/modules/matches/index.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { UserId } from '../../src/modules/wire.ts'
import { type AccessOf, everybody, finishedMatch, type World, waitingMatch } from './cases.ts'

/** An invite of the owner. */
async function invite(world: World): Promise<{ inviteId: string }> {
  const { platform } = world.rally.app
  const { matchId } = await waitingMatch(world)
  const { player } = world.owner
  const expiresAt = new Date(Date.now() + 60_000)
  const asked = { matchId, userId: UserId.parse(player.id), from: null, reason: 'invite', expiresAt } as const
  await inTransaction(platform, (scope) => platform.use(matchService).invites.ask(scope, asked))
  const { id } = await platform.database.db.matchInvite.findFirstOrThrow({ where: { matchId } })
  return { inviteId: id }
}

/** Whom the owner invites, and to which match. */
async function inviting(world: World): Promise<{ matchId: string; username: string }> {
  const { player } = await world.newcomer()
  return { ...(await waitingMatch(world)), username: player.username }
}

export const matches: AccessOf<typeof module> = {
  create: { ...everybody, input: () => ({ game: 'pong', mode: 'casual' }) },
  join: { ...everybody, input: waitingMatch },
  leave: { input: waitingMatch, other: 'NOT_FOUND' },
  rematch: { input: finishedMatch, other: 'FORBIDDEN' },
  getOne: { ...everybody, input: waitingMatch },
  list: everybody,
  history: everybody,
  ratings: { ...everybody, input: () => ({ game: 'pong' }) },
  enqueue: { ...everybody, input: () => ({ game: 'pong' }) },
  dequeue: everybody,
  invite: { input: inviting, other: 'FORBIDDEN' },
  acceptInvite: { input: invite, other: 'NOT_FOUND' },
  declineInvite: { input: invite, other: 'NOT_FOUND' },
  onUpdate: { ...everybody, input: waitingMatch },
  onLobby: everybody,
  onQueue: everybody,
  onInvite: everybody,
}
