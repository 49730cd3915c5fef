import { z } from 'zod'
import { channel, definers } from '../../src/rpc/index.ts'

const { method, subscription } = definers<{ readonly user: { readonly id: string } | null }>()

const asked = { effect: 'read', input: z.object({}), output: z.object({}), handle: () => ({}) } as const
const streamed = {
  delivery: 'latest',
  input: z.object({}),
  event: z.object({ n: z.number() }),
  open: () => ({ channel: channel<{ n: number }>('t.onThing'), seq: 0, snapshot: { n: 1 } }),
} as const
const limit = { points: 1, perSeconds: 1 }

/** Checked by the compiler alone: a line marked as an error that compiles fails `tsc -p test`. */
export function types(either: 'anyone' | 'user'): void {
  method({ ...asked, access: 'user' })
  method({ ...asked, access: 'anyone', limit })
  subscription({ ...streamed, access: 'user' })
  subscription({ ...streamed, access: 'anyone', limit })

  // @ts-expect-error what anybody may call has a limit
  method({ ...asked, access: 'anyone' })
  // @ts-expect-error what anybody may open has a limit
  subscription({ ...streamed, access: 'anyone' })
  // @ts-expect-error no limit is none
  method({ ...asked, access: 'anyone', limit: undefined })
  // @ts-expect-error it may be anybody
  method({ ...asked, access: either })
}
