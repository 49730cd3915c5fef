import { Overloaded } from './retry.ts'

export interface BatchOptions {
  /** Keys of one query. Default 256. */
  readonly maxKeys?: number
  /** Queries at once, so that look-ups leave connections to others. Default 2. */
  readonly maxRunning?: number
  /** Keys that wait for their query; more are refused at once. Default 10,000. */
  readonly maxWaiting?: number
  /** How long a key may wait for its query to begin. Default 2000. */
  readonly maxWaitMs?: number
}

interface Waiting<Value> {
  readonly since: number
  readonly promise: Promise<Value | undefined>
  resolve(value: Value | undefined): void
  reject(error: unknown): void
}

/**
 * Makes a look-up by key that asks for many keys at once: those of one turn of the event loop, and those that come
 * while as many queries run as may, become one query. A look-up that begins after another has been sent never shares its
 * answer, so it sees all that was committed before it began.
 *
 * `load` gives what there is of the keys; the look-up gives `undefined` for a key that is not in it. When `load`
 * rejects, each look-up of that query rejects with the same error.
 *
 * @throws Overloaded by the look-up, when too many keys wait or one has waited too long
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  { maxKeys = 256, maxRunning = 2, maxWaiting = 10_000, maxWaitMs = 2_000 }: BatchOptions = {},
): (key: Key) => Promise<Value | undefined> {
  // In the order of asking, as a Map keeps it.
  const waiting = new Map<Key, Waiting<Value>>()
  let running = 0
  let scheduled = false

  return (key) => {
    const same = waiting.get(key)
    if (same) return same.promise
    if (waiting.size >= maxWaiting) return Promise.reject(new Overloaded(`${maxWaiting} look-ups are waiting`))
    const entry = deferred<Value>()
    waiting.set(key, entry)
    schedule()
    return entry.promise
  }

  function schedule(): void {
    if (scheduled || running >= maxRunning) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      start()
    })
  }

  function start(): void {
    const oldest = performance.now() - maxWaitMs
    while (running < maxRunning && waiting.size > 0) {
      const taken = new Map<Key, Waiting<Value>>()
      for (const [key, entry] of waiting) {
        if (taken.size >= maxKeys) break
        waiting.delete(key)
        if (entry.since < oldest) entry.reject(new Overloaded(`a look-up waited for more than ${maxWaitMs} ms`))
        else taken.set(key, entry)
      }
      if (taken.size > 0) void run(taken)
    }
  }

  async function run(taken: ReadonlyMap<Key, Waiting<Value>>): Promise<void> {
    running++
    try {
      const found = await load([...taken.keys()])
      for (const [key, entry] of taken) entry.resolve(found.get(key))
    } catch (error) {
      for (const entry of taken.values()) entry.reject(error)
    } finally {
      running--
      start()
    }
  }
}

function deferred<Value>(): Waiting<Value> {
  let resolve: (value: Value | undefined) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<Value | undefined>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  return { since: performance.now(), promise, resolve, reject }
}
