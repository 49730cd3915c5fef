export type { AnyApi, FrameworkCode, MethodShape, SubscriptionShape } from '../protocol/api.ts'
export type { Issue, Welcome } from '../protocol/envelope.ts'
export { Clock } from './clock.ts'
export type { SocketConstructor, SocketLike, Status } from './connection.ts'
export { createClient } from './create-client.ts'
export { type ClientCode, RallyError } from './errors.ts'
export type { Backoff } from './reconnect-delay.ts'
export type {
  CallOptions,
  ClientEvents,
  ClientOptions,
  CodeOf,
  Healed,
  Listener,
  MethodCall,
  Rally,
  Result,
  SessionUser,
  SignedIn,
  SignIn,
  SnapshotListener,
  StreamInfo,
  SubscriptionCall,
  VerifyOptions,
} from './types.ts'
