export { type BadNetwork, createBadNetwork, type NetworkFaults } from './bad-network.ts'
export { blendFields } from './drawing.ts'
export { play } from './play.ts'
export type {
  Blend,
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
  SmoothFields,
} from './types.ts'
