export type {
  AnyApi,
  EventOf,
  InputOf,
  MethodShape,
  NameOf,
  OutputOf,
  SnapshotOf,
  SubscriptionShape,
} from '../protocol/api.ts'
export type { FrameworkCode } from '../protocol/codes.ts'
export type { Issue, Welcome } from '../protocol/envelope.ts'
export type { ClientOptions } from './client.ts'
export type { Clock } from './clock.ts'
export { createClient, type Rally } from './create-client.ts'
export { type ClientCode, RallyError } from './errors.ts'
export type { SocketConstructor, SocketLike } from './handshake.ts'
export { createPasskey, hasPasskeys, signWithPasskey } from './passkeys.ts'
export type { Backoff } from './reconnect-delay.ts'
export type {
  CallOptions,
  ClientEvents,
  CodeOf,
  CreatedPasskey,
  Healed,
  Listener,
  MethodCall,
  PasskeyAnswer,
  PasskeyAsked,
  PasskeyCreation,
  PasskeyOptions,
  PasskeyRequest,
  PasskeyStep,
  Result,
  SessionUser,
  SignedIn,
  SignedPasskey,
  SignIn,
  SnapshotListener,
  Status,
  StreamInfo,
  SubscriptionCall,
  User,
  VerifyOptions,
} from './types.ts'
