export { Admission, addressGroups } from './admission.ts'
export { Call, runEffects } from './call.ts'
export { Connection, type ConnectionStart, Connections } from './connection.ts'
export type { AnyDefinition, Channel, NeededScope, Opened } from './definition.ts'
export { channel, definers } from './definition.ts'
export { Dispatcher } from './dispatcher.ts'
export { answerError, isStorableJson, readJson } from './envelope.ts'
export { errorData, RpcError, toIssues } from './errors.ts'
export { IncrementalSweep } from './incremental-sweep.ts'
export type { ApiOf, Methods, Module, Subscriptions } from './module.ts'
export type { CallObserver } from './pending-calls.ts'
export type { BoundRoute, Entry } from './registry.ts'
export {
  type AnyFileRoute,
  type AnyMethodRoute,
  type AnyRoute,
  type ReadRequest,
  readRoute,
  routeDefiners,
  type ServedFile,
} from './route.ts'
export {
  type Caller,
  type CallerToken,
  type CallerUser,
  credentialOf,
  GATE_DEADLINE_MS,
  type Role,
  type SessionGate,
  type SignedIn,
  type TokenGate,
} from './sessions.ts'
export { SHARE_LIMITS_MS, shareLimits } from './shared-limits.ts'
export { Hub } from './stream-hub.ts'
export type { Once, WriteKey, WriteResult } from './write-once.ts'
