import { module } from '../define.ts'
import { begin } from './methods/begin.ts'
import { logout } from './methods/logout.ts'
import { me } from './methods/me.ts'
import { recover } from './methods/recover.ts'
import { revoke } from './methods/revoke.ts'
import { rotateTotp } from './methods/rotateTotp.ts'
import { sessions } from './methods/sessions.ts'
import { verify } from './methods/verify.ts'
import { authService } from './service.ts'
import { LOOK_EVERY_MS } from './sessions/closing-sockets.ts'
import { onSession } from './subscriptions/onSession.ts'

export { AuthService, authService } from './service.ts'

/** Accounts with an authenticator app and no password, and the sessions of their browsers. */
export const auth = module({
  name: 'auth',
  service: authService,
  methods: { begin, verify, recover, logout, sessions, revoke, rotateTotp, me },
  subscriptions: { onSession },
  jobs: {
    closeEnded: { everyMs: LOOK_EVERY_MS, runsOn: 'every node', run: ({ use }) => use(authService).closer.look() },
    cleanUp: { everyMs: 30_000, runsOn: 'one node', run: (ctx) => ctx.use(authService).cleanUp(ctx) },
  },
})
