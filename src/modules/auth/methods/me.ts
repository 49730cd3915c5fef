import { z } from 'zod'
import { RpcError } from '../../../rpc/index.ts'
import { method } from '../../context.ts'
import { accounts, toUser } from '../accounts.ts'
import { User } from '../types.ts'

/** The signed-in user. */
export const me = method({
  access: 'user',
  effect: 'read',
  input: z.object({}),
  output: User,
  async handle({ ctx }) {
    const account = await accounts.byId(ctx.db, ctx.user.id)
    if (!account) throw new RpcError('UNAUTHENTICATED', 'This account is gone')
    return toUser(account)
  },
})
