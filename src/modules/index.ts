import type { EventOf, InputOf, NameOf, OutputOf, SnapshotOf } from '../protocol/index.ts'
import type { ApiOf } from '../rpc/index.ts'
import { admin } from './admin/index.ts'
import { auth } from './auth/index.ts'
import { live } from './live/index.ts'
import { matches } from './matches/index.ts'
import { rooms } from './rooms/index.ts'
import { scores } from './scores/index.ts'
import { storage } from './storage/index.ts'
import { tournaments } from './tournaments/index.ts'
import { users } from './users/index.ts'

/** Every module, by the namespace of its methods and subscriptions on the wire. */
export const modules = {
  auth,
  users,
  scores,
  storage,
  matches,
  live,
  rooms,
  tournaments,
  admin,
} as const

/** The type of this server for clients: `createClient<Api>()`. */
export type Api = ApiOf<typeof modules>

/** What a method or subscription takes: `Input<'matches.create'>`. */
export type Input<Name extends NameOf<Api>> = InputOf<Api, Name>
/** What a method answers: `Output<'matches.create'>`. */
export type Output<Name extends NameOf<Api, 'method'>> = OutputOf<Api, Name>
/** What a stream sends: `Event<'matches.onUpdate'>`. */
export type Event<Name extends NameOf<Api, 'subscription'>> = EventOf<Api, Name>
/** What a stream opens with: `Snapshot<'matches.onUpdate'>`. */
export type Snapshot<Name extends NameOf<Api, 'subscription'>> = SnapshotOf<Api, Name>
