import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { CreatedPasskey, PasskeyAdded, PasskeyName } from '../types.ts'

const Created = z.object({ credential: CreatedPasskey, name: PasskeyName })

/** `{}` answers what the browser needs; `{ credential, name }` stores what the browser made of it. */
export const addPasskey = method({
  summary: 'Adds a passkey in two steps on one socket, within ten minutes of signing in.',
  access: 'user',
  effect: 'write',
  limit: { points: 20, perSeconds: 60 },
  input: z.union([Created, z.strictObject({})]),
  output: PasskeyAdded,
  errors: ['FORBIDDEN', 'NO_CHALLENGE', 'INVALID_PASSKEY', 'TOO_MANY_PASSKEYS'],
  async prepare({ ctx, input }) {
    const { ownPasskeys } = ctx.use(authService)
    if (!('credential' in input)) return { asked: await ownPasskeys.prepareAdding(ctx, ctx.call) }
    return { created: input, challenge: ownPasskeys.takeChallenge(ctx.call) }
  },
  handle({ ctx, prepared: { asked, created, challenge } }) {
    if (asked) return asked
    const { credential, name } = created
    return ctx.use(authService).ownPasskeys.add(ctx, ctx.call, challenge, credential, name)
  },
})
