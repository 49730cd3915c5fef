import { describe, expect, test } from 'vitest'
import { SEED, startFuzzedWorld, withErrorsOf } from './fuzzed-world.ts'
import { HttpFuzzer } from './http-fuzzer.ts'
import { Random } from './random.ts'

/** `npm run fuzz` opens more of them. */
const CONNECTIONS = Number(process.env.FUZZ_CONNECTIONS ?? 2_000)
const AT_ONCE = 100
/** Connections of each fuzzer, after which the users sign in anew. */
const IN_A_ROUND = 20
const users = Array.from({ length: 7 }, (_, index) => `fuzz_${index}`)
const CREDENTIALS = ['cookie', 'bearer', 'key'] as const

describe(`with FUZZ_SEED=${SEED}`, () => {
  test(`${CONNECTIONS} connections with HTTP of all kinds leave the server as it was`, {
    timeout: 60_000 + 20 * CONNECTIONS,
  }, async () => {
    await using world = await startFuzzedWorld(users, { TRUSTED_PROXY_HOPS: '1', LIMIT_TIMES_PER_IP: '1000000' })
    const { server } = world
    await withErrorsOf(server, async () => {
      const identityOf = async (index: number) => {
        const identity = await world.identityOf(users[index] ?? '', CREDENTIALS[index % CREDENTIALS.length])
        return Object.entries(identity).map(([name, value]) => `${name}: ${value}`)[0] ?? ''
      }
      const startedAt = performance.now()
      const fuzzers = Array.from(
        { length: AT_ONCE },
        (_, index) => new HttpFuzzer(server.port, new Random(SEED + index)),
      )
      for (let left = Math.ceil(CONNECTIONS / AT_ONCE); left > 0; left -= IN_A_ROUND) {
        // Calls sign users out and remove them.
        const identities = await Promise.all(users.map((_, index) => identityOf(index)))
        const each = Math.min(left, IN_A_ROUND)
        await Promise.all(fuzzers.map((fuzzer, index) => fuzzer.run(each, identities[index % users.length] ?? '')))
      }
      const seconds = (performance.now() - startedAt) / 1000
      const sum = (counts: readonly ReadonlyMap<string | number, number>[]) => {
        const all: Record<string, number> = {}
        for (const [key, count] of counts.flatMap((each) => [...each])) all[key] = (all[key] ?? 0) + count
        return all
      }
      console.info(
        `${CONNECTIONS} connections in ${seconds.toFixed(1)} s, ${Math.round(CONNECTIONS / seconds)} a second, FUZZ_SEED=${SEED}\n`,
        sum(fuzzers.map(({ kinds }) => kinds)),
        sum(fuzzers.map(({ statuses }) => statuses)),
      )
      // The calls reached their methods, and tokens open sockets.
      const succeeded = sum(fuzzers.map((fuzzer) => fuzzer.succeeded))
      expect(succeeded.rpc).toBeGreaterThan(CONNECTIONS / 200)
      expect(succeeded.address).toBeGreaterThan(CONNECTIONS / 200)
      expect(succeeded.upgrade).toBeGreaterThan(CONNECTIONS / 200)
      expect(fuzzers.flatMap(({ complaints }) => complaints)).toEqual([])
      expect(server.errors).toEqual([])
      expect(server.exit).toBeNull()
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
      expect(await server.stop()).toBe(0)
    })
  })
})
