import { setTimeout as delay } from 'node:timers/promises'

/** Reads again until `isSo` holds: nothing reports changes of the database. */
export async function eventually<T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  deadlineMs = 15_000,
): Promise<T> {
  const until = Date.now() + deadlineMs
  for (;;) {
    const seen = await look()
    if (isSo(seen)) return seen
    if (Date.now() > until) throw new Error(`not so within ${deadlineMs} ms: ${JSON.stringify(seen)}`)
    await delay(50)
  }
}
