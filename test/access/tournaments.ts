import type { tournaments as module } from '../../src/modules/tournaments/index.ts'
import { type AccessOf, everybody, type World } from './cases.ts'

const ordinary = { name: 'Access cup', game: 'pong', size: 4, format: 'single-elimination' }

/** A new tournament of the owner, open to everybody. Earlier ones are deleted, because a user may have only a few. */
async function tournament({ owner, rally }: World): Promise<{ tournamentId: string }> {
  await rally.app.platform.database.db.tournament.deleteMany()
  const { id } = await owner.client.call<{ id: string }>('tournaments.create', ordinary)
  return { tournamentId: id }
}

/** One that the owner takes part in. */
async function joined(world: World): Promise<{ tournamentId: string }> {
  const made = await tournament(world)
  await world.owner.client.call('tournaments.join', made)
  return made
}

export const tournaments: AccessOf<typeof module> = {
  create: { ...everybody, input: () => ordinary },
  join: { ...everybody, input: tournament },
  leave: { input: joined, other: 'NOT_FOUND' },
  start: { input: tournament, owner: 'TOO_FEW_PLAYERS', other: 'FORBIDDEN' },
  cancel: { input: tournament, other: 'FORBIDDEN' },
  getOne: { ...everybody, input: tournament },
  list: everybody,
  onUpdate: { ...everybody, input: tournament },
}
