import { expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { codeOf, register, startRally } from '../support/server.ts'

test('POST and DELETE /session answer UNAVAILABLE, not INTERNAL, while the database is away', async () => {
  await using rally = await startRally()
  const ada = await register(rally.url, 'ada')
  await using client = await connect(rally.url)
  await client.call('auth.begin', { username: 'ada' })
  const { token } = await client.call<{ token: string }>('auth.verify', { code: codeOf(ada.secret, 1) })
  await rally.app.platform.database.close()

  const answers = await Promise.all([
    fetch(`${rally.url}/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    }),
    fetch(`${rally.url}/session`, { method: 'DELETE', headers: { Cookie: ada.cookie } }),
  ])
  for (const answer of answers) {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('Retry-After')).toBe('1')
    expect(await answer.json()).toMatchObject({ error: 'UNAVAILABLE', data: { retryAfterMs: 1000 } })
  }
})
