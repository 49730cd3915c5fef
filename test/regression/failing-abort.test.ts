import { expect, test } from 'vitest'
import { CONNECT_FOUR, playConnectFour, startLive, startQuickRally } from '../matches/support.ts'
import { newcomer } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'

// A match whose result the database refused was aborted, but only once: when that failed it stayed live for ever.
test('a match whose result is refused is aborted, even if the first attempt fails', async () => {
  await using rally = await startQuickRally({}, { config: { logLevel: 'silent' } })
  const { url } = rally.database
  await execute(url, 'CREATE SEQUENCE aborts')
  await execute(
    url,
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF NEW.status = 'finished' THEN RAISE check_violation; END IF;
       IF NEW.status = 'aborted' AND nextval('aborts') = 1 THEN RAISE disk_full; END IF;
       RETURN NEW;
     END $$`,
  )
  await execute(url, 'CREATE TRIGGER refuse BEFORE UPDATE ON matches FOR EACH ROW EXECUTE FUNCTION refuse()')
  const { client } = await newcomer(rally)
  const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  await playConnectFour([client], follower.latest.id)
  expect(await follower.over(15_000)).toMatchObject({ status: 'aborted', endReason: 'failed' })
  expect((await execute(url, 'SELECT last_value AS tries FROM aborts')).rows).toEqual([{ tries: '2' }])
  expect(rally.app.platform.engine.size).toBe(0)
}, 30_000)
