import { z } from 'zod'
import type { Call } from './call.ts'
import { type AnyMethod, definers } from './definition.ts'
import type { Hub } from './stream-hub.ts'

const { method } = definers<{ readonly call: Call }>()

/** What the protocol itself offers: `rpc.ping` and `rpc.unsubscribe`. Their context needs only the call. */
export function builtins(hub: Hub): { ping: AnyMethod; unsubscribe: AnyMethod } {
  return {
    ping: method({
      access: 'anyone',
      effect: 'read',
      limit: { points: 6000, perSeconds: 60 },
      input: z.object({}),
      output: z.object({}),
      handle: () => ({}),
    }),

    /** Leaving a channel that the socket does not follow is no error: a retry must find nothing wrong. */
    unsubscribe: method({
      access: 'anyone',
      effect: 'read',
      limit: { points: 6000, perSeconds: 60 },
      input: z.object({ channel: z.string().min(1).max(200) }),
      output: z.object({}),
      handle({ ctx, input }) {
        const { connection } = ctx.call
        if (connection) hub.leave(connection, input.channel)
        return {}
      },
    }),
  }
}
