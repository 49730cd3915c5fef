import { z } from 'zod'
import { RpcError } from '../../../rpc/index.ts'
import { subscription } from '../../define.ts'
import { SessionId } from '../../wire.ts'
import { authService } from '../service.ts'
import { sessionChannel, sessionSeq } from '../sessions/closing-sockets.ts'
import { OpenSession, SessionEnd } from '../types.ts'

export const onSession = subscription({
  summary: "Tells the end of this socket's session: one event, then the socket closes with 4501.",
  access: 'user',
  scope: 'none',
  delivery: 'reliable',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({}),
  event: SessionEnd,
  snapshot: OpenSession,
  async open({ ctx }) {
    const { sessionId } = ctx.call.caller
    const session = sessionId === null ? null : await ctx.use(authService).sessions.find(sessionId, ctx.user.id)
    if (!session) throw new RpcError('UNAUTHENTICATED', 'This session has ended')
    const snapshot = { id: SessionId.parse(session.id), expiresAt: session.expiresAt.getTime() }
    return { channel: sessionChannel(session.id), seq: sessionSeq.open, snapshot }
  },
})
