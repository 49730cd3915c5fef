export { addressGroup, widerGroup } from './address-groups.ts'
export { Admission } from './admission.ts'
export { Call, runEffects } from './call.ts'
export { type Channel, channel } from './channel.ts'
export { Connection, type ConnectionStart, Connections } from './connection.ts'
export {
  type AnyMethod,
  type AnySubscription,
  type ApiOf,
  definers,
  type Module,
  type Opened,
} from './definition.ts'
export { Dispatcher } from './dispatcher.ts'
export { answerError, isStorableJson } from './envelope.ts'
export { errorData, RpcError } from './errors.ts'
export { IncrementalSweep } from './incremental-sweep.ts'
export type { Entry } from './registry.ts'
export { type Caller, type CallerUser, GATE_DEADLINE_MS, type SessionGate, type SignedIn } from './sessions.ts'
export { SHARE_LIMITS_MS, SharedLimits } from './shared-limits.ts'
export { Hub } from './stream-hub.ts'
export { toIssues } from './validation.ts'
export type { Once, WriteKey, WriteResult } from './write-once.ts'
