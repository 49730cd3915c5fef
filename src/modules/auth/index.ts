import { module } from '../define.ts'
import { addPasskey } from './methods/addPasskey.ts'
import { begin } from './methods/begin.ts'
import { createToken } from './methods/createToken.ts'
import { logout } from './methods/logout.ts'
import { me } from './methods/me.ts'
import { passkeys } from './methods/passkeys.ts'
import { recover } from './methods/recover.ts'
import { recoverPasskey } from './methods/recoverPasskey.ts'
import { removePasskey } from './methods/removePasskey.ts'
import { renamePasskey } from './methods/renamePasskey.ts'
import { revoke } from './methods/revoke.ts'
import { revokeToken } from './methods/revokeToken.ts'
import { rotateTotp } from './methods/rotateTotp.ts'
import { sessions } from './methods/sessions.ts'
import { tokens } from './methods/tokens.ts'
import { verify } from './methods/verify.ts'
import { verifyPasskey } from './methods/verifyPasskey.ts'
import { authService } from './service.ts'
import { LOOK_EVERY_MS } from './sessions/closing-sockets.ts'
import { onSession } from './subscriptions/onSession.ts'

export { isBannedAt } from './bans.ts'
export { lockUser, lockUsers } from './lock-users.ts'
export { AuthService, authService } from './service.ts'

/** Accounts with an authenticator app and no password, their passkeys, the sessions of browsers and the tokens of programs. */
export const auth = module({
  name: 'auth',
  service: authService,
  methods: {
    begin,
    verify,
    verifyPasskey,
    recover,
    recoverPasskey,
    logout,
    sessions,
    revoke,
    rotateTotp,
    me,
    passkeys,
    addPasskey,
    renamePasskey,
    removePasskey,
    createToken,
    tokens,
    revokeToken,
  },
  subscriptions: { onSession },
  jobs: {
    closeEnded: { everyMs: LOOK_EVERY_MS, runsOn: 'every node', run: ({ use }) => use(authService).closer.look() },
    cleanUp: { everyMs: 30_000, runsOn: 'one node', run: (ctx) => ctx.use(authService).cleanUp(ctx) },
  },
})
