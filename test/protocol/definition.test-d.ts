import { z } from 'zod'
import type { Event, Input, Output, Snapshot } from '../../src/modules/index.ts'
import type { LiveInputsSnapshot } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { channel, definers } from '../../src/rpc/index.ts'

const { method, subscription } = definers<{ readonly user: { readonly id: string } | null }>()

const summary = 'Does nothing.'
const asked = { summary, effect: 'read', input: z.object({}), output: z.object({}), handle: () => ({}) } as const
const streamed = {
  summary,
  delivery: 'latest',
  input: z.object({}),
  event: z.object({ n: z.number() }),
  open: () => ({ channel: channel<{ n: number }>('t.onThing'), seq: 0, snapshot: { n: 1 } }),
} as const
const limit = { points: 1, perSeconds: 1 }

/** Checked by the compiler alone: a line marked as an error that compiles fails `tsc -p test`. */
export function types(either: 'anyone' | 'user' | 'admin'): void {
  method({ ...asked, access: 'user' })
  method({ ...asked, access: 'anyone', limit })
  subscription({ ...streamed, access: 'user' })
  subscription({ ...streamed, access: 'anyone', limit })
  // An admin is a user.
  const output = z.object({ id: z.string() })
  method({ ...asked, output, access: 'admin', handle: ({ ctx }) => ({ id: ctx.user.id }) })
  method({ ...asked, access: 'user', scope: 'play' })
  subscription({ ...streamed, access: 'user', scope: 'none' })
  // @ts-expect-error there is no such scope
  method({ ...asked, access: 'user', scope: 'write' })
  // @ts-expect-error no token may do what is for admins
  method({ ...asked, access: 'admin', scope: 'read' })
  // @ts-expect-error no token may follow what is for admins
  subscription({ ...streamed, access: 'admin', scope: 'read' })
  // @ts-expect-error there may be no user
  method({ ...asked, output, access: 'anyone', limit, handle: ({ ctx }) => ({ id: ctx.user.id }) })
  // @ts-expect-error there is no such access
  subscription({ ...streamed, access: 'FORBIDDEN' })

  // @ts-expect-error what anybody may call has a limit
  method({ ...asked, access: 'anyone' })
  // @ts-expect-error what anybody may open has a limit
  subscription({ ...streamed, access: 'anyone' })
  method({ ...asked, access: 'user', effect: 'write', limit })
  // @ts-expect-error a write has a limit
  method({ ...asked, access: 'user', effect: 'write' })
  // @ts-expect-error no limit is none
  method({ ...asked, access: 'anyone', limit: undefined })
  const { summary: _, ...unsaid } = asked
  // @ts-expect-error a definition says what it does
  method({ ...unsaid, access: 'user' })
  // @ts-expect-error it may be anybody
  method({ ...asked, access: either })
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Inputs, outputs, events and snapshots have a type by their wire name. */
export const named: [
  Same<Output<'matches.create'>, Match>,
  Same<Event<'matches.onUpdate'>, Match>,
  Same<Input<'matches.leave'>, { matchId: string }>,
  LiveInputsSnapshot extends Snapshot<'live.onState'> ? true : false,
] = [true, true, true, true]

// @ts-expect-error there is no such method
export type None = Output<'matches.nothing'>
// @ts-expect-error a stream has no output
export type NoOutput = Output<'matches.onUpdate'>
