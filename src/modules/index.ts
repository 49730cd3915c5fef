import type { ApiOf } from '../rpc/index.ts'
import { auth } from './auth/index.ts'
import { live } from './live/index.ts'
import { matches } from './matches/index.ts'

/** Every module, by the namespace of its methods and subscriptions on the wire. */
export const modules = {
  auth,
  matches,
  live,
} as const

/** What a client of this server is typed from: `createClient<Api>()`. */
export type Api = ApiOf<typeof modules>
