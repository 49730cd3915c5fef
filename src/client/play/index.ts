export { type BadNetwork, createBadNetwork, type NetworkFaults } from './bad-network.ts'
export type { Correction } from './course.ts'
export { type Blend, blendFields, type SmoothFields } from './drawing.ts'
export type { PlayFigures } from './figures.ts'
export { play } from './play.ts'
export type {
  Confirmed,
  Play,
  PlayableGame,
  PlayClient,
  PlayEnd,
  PlayEvents,
  PlayOptions,
  PlayStatus,
} from './types.ts'
