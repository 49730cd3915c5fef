import type { scores as module } from '../../src/modules/scores/index.ts'
import { type AccessOf, everybody } from './cases.ts'

export const scores: AccessOf<typeof module> = {
  submit: { ...everybody, input: () => ({ gameMode: 'access', score: 1 }) },
  leaderboard: everybody,
  rank: { ...everybody, input: () => ({ score: 1 }) },
  best: { ...everybody, input: ({ owner }) => ({ username: owner.player.username }) },
  ofPlayer: { ...everybody, input: ({ owner }) => ({ name: owner.player.username }) },
  bosses: { ...everybody, input: ({ owner }) => ({ username: owner.player.username }) },
  defeatBoss: { ...everybody, input: () => ({ boss: 'dragon' }) },
  gameModes: everybody,
  onLeaderboard: { ...everybody, input: () => ({ gameMode: 'access' }) },
}
