export { Clock, type ClockFigures, latenessQuantile } from './clock.ts'
export { Engine } from './engine.ts'
export type { MatchRunner, RunEnd } from './match-runner.ts'
export { NodeLease } from './node-lease.ts'
