import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { newcomer } from '../support/newcomers.ts'
import { makeToken } from '../support/programs.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'

const run = promisify(execFile)

/** A Python that has the package `websockets`: Debian's own has it, where another one is first in the path. */
const python = ['python3', '/usr/bin/python3'].find((each) => spawnSync(each, ['-c', 'import websockets']).status === 0)
if (!python) process.stdout.write('examples/python does not run here: there is no Python with the package websockets\n')

const test = rallyTest({ config: { matches: matchTimes() } })

test.skipIf(!python)(
  'the Python client plays Pong against the bot with a token',
  async ({ rally }) => {
    const { player, client } = await newcomer(rally)
    const { token } = await makeToken(client, ['read', 'play'])
    const args = ['examples/python/play_pong.py', rally.url, '--points', '1', '--rate', '1']
    const { stdout } = await run(`${python}`, args, { env: { RALLY_TOKEN: token }, timeout: 110_000 })
    const [first, last] = stdout.trim().split('\n')
    expect(first).toMatch(new RegExp(`^${player.username} plays http`))
    expect(last).toMatch(/^finished: (1 to 0|0 to 1)$/)
    const { items } = await client.call<{ items: { game: string; status: string }[] }>('matches.history')
    expect(items).toMatchObject([{ game: 'pong', status: 'finished' }])
  },
  120_000,
)

test.skipIf(!python)('the Python client says why it may not play', async ({ rally }) => {
  const { client } = await newcomer(rally)
  const { token } = await makeToken(client, ['read'])
  const ended = run(`${python}`, ['examples/python/play_pong.py', rally.url], { env: { RALLY_TOKEN: token } })
  await expect(ended).rejects.toMatchObject({
    stderr: expect.stringContaining('FORBIDDEN: This token lacks the scope play'),
  })
})
