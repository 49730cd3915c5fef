import type { tournaments as module } from '../../src/modules/tournaments/index.ts'
import { type AccessOf, everybody, type World } from './cases.ts'

const ordinary = { name: 'Access cup', game: 'pong', size: 4, format: 'single-elimination' }

/** A new tournament of the owner, open to everybody. Earlier ones are deleted, because a user may have only a few. */
async function tournament({ owner, rally }: World, format = 'single-elimination'): Promise<{ tournamentId: string }> {
  await rally.app.platform.database.db.tournament.deleteMany()
  const { id } = await owner.client.call<{ id: string }>('tournaments.create', { ...ordinary, format })
  return { tournamentId: id }
}

/** One that the owner takes part in. */
async function joined(world: World): Promise<{ tournamentId: string }> {
  const made = await tournament(world)
  await world.owner.client.call('tournaments.join', made)
  return made
}

/** One of the owner that has enough players. */
async function full(world: World): Promise<{ tournamentId: string }> {
  const made = await tournament(world, 'round-robin')
  for (const { client } of [world.owner, world.other, world.admin]) await client.call('tournaments.join', made)
  return made
}

export const tournaments: AccessOf<typeof module> = {
  create: { ...everybody, input: () => ordinary },
  join: { ...everybody, input: (world) => tournament(world) },
  leave: { input: joined, other: 'NOT_FOUND' },
  start: { input: full, other: 'FORBIDDEN' },
  cancel: { input: (world) => tournament(world), other: 'FORBIDDEN' },
  getOne: { ...everybody, input: (world) => tournament(world) },
  list: everybody,
  onUpdate: { ...everybody, input: (world) => tournament(world) },
}
