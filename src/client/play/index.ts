export { type BadNetwork, createBadNetwork, type NetworkFaults } from './bad-network.ts'
export { type Blend, blendFields, type SmoothFields } from './drawing.ts'
export { play } from './play.ts'
export type {
  Confirmed,
  Correction,
  Play,
  PlayableGame,
  PlayClient,
  PlayEnd,
  PlayEvents,
  PlayFigures,
  PlayOptions,
  PlayStatus,
} from './types.ts'
