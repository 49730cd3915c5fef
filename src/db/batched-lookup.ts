import { Histogram, WAIT_MS } from '../histogram.ts'
import { Overloaded } from './retry.ts'

export interface BatchOptions {
  /** Keys of one query. Default 256. */
  readonly maxKeys?: number
  /** Queries at once, so that look-ups leave connections to others. Default 2. */
  readonly maxRunning?: number
  /** Keys that wait for their query; more are refused. Default 10,000. */
  readonly maxWaiting?: number
  /** How long a key may wait for its query to begin. Default 2000. */
  readonly maxWaitMs?: number
}

/** A look-up by key, and the keys that wait for their query. */
export interface BatchedLookup<Key, Value> {
  (key: Key): Promise<Value | undefined>
  readonly queue: { readonly length: number; readonly waits: Histogram }
}

interface Waiting<Value> {
  readonly since: number
  readonly promise: Promise<Value | undefined>
  resolve(value: Value | undefined): void
  reject(error: unknown): void
}

/**
 * Makes a look-up by key that batches keys: the keys of one turn of the event loop become one query, and so do the keys that
 * arrive while `maxRunning` queries run. A look-up never joins a query that has been sent, so it sees everything that was
 * committed before it began.
 *
 * `load` answers the values that exist; the look-up answers `undefined` for other keys. When `load` rejects, so does each
 * look-up of that query.
 *
 * @throws Overloaded by the look-up, when too many keys wait or one has waited too long
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  { maxKeys = 256, maxRunning = 2, maxWaiting = 10_000, maxWaitMs = 2_000 }: BatchOptions = {},
): BatchedLookup<Key, Value> {
  // A Map keeps the order of asking.
  const waiting = new Map<Key, Waiting<Value>>()
  let running = 0
  let isScheduled = false
  const queue = {
    get length() {
      return waiting.size
    },
    waits: new Histogram(WAIT_MS),
  }

  function look(key: Key): Promise<Value | undefined> {
    const same = waiting.get(key)
    if (same) return same.promise
    if (waiting.size >= maxWaiting) return Promise.reject(new Overloaded(`${maxWaiting} look-ups are waiting`))
    const entry = createWaiting<Value>()
    waiting.set(key, entry)
    if (!isScheduled && running < maxRunning) {
      isScheduled = true
      setImmediate(() => {
        isScheduled = false
        start()
      })
    }
    return entry.promise
  }
  return Object.assign(look, { queue })

  function start(): void {
    const now = performance.now()
    while (running < maxRunning && waiting.size > 0) {
      const taken = new Map<Key, Waiting<Value>>()
      for (const [key, entry] of waiting) {
        if (taken.size >= maxKeys) break
        waiting.delete(key)
        queue.waits.add(now - entry.since)
        if (now - entry.since > maxWaitMs)
          entry.reject(new Overloaded(`a look-up waited for more than ${maxWaitMs} ms`))
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

function createWaiting<Value>(): Waiting<Value> {
  const since = performance.now()
  let settle: Pick<Waiting<Value>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<Value | undefined>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { since, promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) }
}
