import type { scores as module } from '../../src/modules/scores/index.ts'
import { type AccessOf, everybody, type World } from './cases.ts'

/** The name of the owner, who has a score. */
async function ownName({ owner }: World): Promise<{ name: string }> {
  await owner.client.call('scores.submit', { gameMode: 'access', score: 1 })
  return { name: owner.player.username }
}

export const scores: AccessOf<typeof module> = {
  submit: { ...everybody, input: () => ({ gameMode: 'access', score: 1 }) },
  leaderboard: everybody,
  rank: { ...everybody, input: () => ({ score: 1 }) },
  best: { ...everybody, input: ({ owner }) => ({ username: owner.player.username }) },
  ofPlayer: { ...everybody, input: ownName },
  bosses: { ...everybody, input: ({ owner }) => ({ username: owner.player.username }) },
  defeatBoss: { ...everybody, input: () => ({ boss: 'dragon' }) },
  gameModes: everybody,
  onLeaderboard: { ...everybody, input: () => ({ gameMode: 'access' }) },
}
