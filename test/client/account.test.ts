import { generateSync } from 'otplib'
import { expect, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'
import { startRally } from '../../src/rally.ts'
import { createTestDatabase } from '../support/database.ts'
import { browserLike } from './cookies.ts'

test('a person registers, signs out and signs in again', async () => {
  await using database = await createTestDatabase()
  const app = await startRally({
    environment: {},
    config: { host: '127.0.0.1', port: 0, databaseUrl: database.url, logLevel: 'silent' },
  })
  try {
    const rally = createClient<Api>({ url: app.url, ...browserLike() })
    const other = createClient<Api>({ url: app.url, ...browserLike() })
    const signUp = await rally.signIn('Ana')
    if (signUp.status !== 'candidate') throw new Error('the name was free')
    await expect(signUp.verify('000000')).rejects.toMatchObject({ code: 'INVALID_CODE' })
    const { user, recoveryCodes } = await signUp.verify(generateSync({ secret: signUp.secret }))
    expect(user.username).toBe('ana')
    expect(recoveryCodes).toHaveLength(10)
    expect(rally.user).toEqual({ id: user.id, username: 'ana' })
    const { items } = await rally.auth.sessions()
    expect(items.map(({ current }) => current)).toEqual([true])

    const signIn = await other.signIn('ana')
    expect(signIn.status).toBe('user')
    const recovered = await other.recover('ana', recoveryCodes?.[0] ?? '')
    expect(recovered.user.id).toBe(user.id)
    await rally.signOut()
    expect(rally.user).toBeNull()
    const refused = await rally.auth.sessions.try()
    expect(!refused.ok && refused.error.code).toBe('UNAUTHENTICATED')
    expect(other.user?.id).toBe(user.id)
    rally.close()
    other.close()
  } finally {
    await app.stop()
  }
})
