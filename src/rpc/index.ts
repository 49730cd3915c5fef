export { addressGroup, widerGroup } from './address.ts'
export { Admission } from './admission.ts'
export { answerError } from './answers.ts'
export { Call } from './call.ts'
export type { Caller, CallerUser } from './caller.ts'
export { type Channel, channel } from './channel.ts'
export { Connection, type Peer } from './connection.ts'
export { Connections } from './connections.ts'
export {
  type AnyMethod,
  type AnySubscription,
  type ApiOf,
  definers,
  type Module,
  module,
  type Opened,
} from './definition.ts'
export { Dispatcher } from './dispatcher.ts'
export { errorData, RpcError } from './errors.ts'
export type { Once, WriteKey } from './once.ts'
export { isStorableJson } from './read-envelope.ts'
export type { Entry } from './registry.ts'
export { Rounds } from './rounds.ts'
export { GATE_DEADLINE_MS, type SessionGate, type SignedIn } from './sessions.ts'
export { Hub } from './stream-hub.ts'
