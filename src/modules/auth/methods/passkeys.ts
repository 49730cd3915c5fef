import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { PasskeyInfo } from '../types.ts'

/** `required`: whether this server asks for one at sign-in; if not, there are no `items`. */
export const passkeys = method({
  summary: "Lists the user's passkeys, oldest first.",
  access: 'user',
  scope: 'none',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({}),
  output: z.object({ required: z.boolean(), items: z.array(PasskeyInfo) }),
  handle: ({ ctx }) => ctx.use(authService).ownPasskeys.list(ctx, ctx.user.id),
})
