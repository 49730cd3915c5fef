import { z } from 'zod'
import type { Bus } from '../bus/bus.ts'
import type { Admission } from './admission.ts'
import type { Entry } from './registry.ts'

/** How often a node tells the others what it let through. */
export const SHARE_LIMITS_MS = 250
/** Entries of each kind in one message. What is not told counts at one node alone. */
const MAX_ENTRIES = 1_000
/** The sockets that another node counts are forgotten when it has not repeated them for so long. */
const SOCKETS_EXPIRE_MS = 3_000
const TOPIC = 'rpc.limits'

const Counts = z.array(z.tuple([z.string(), z.number().min(0)])).max(MAX_ENTRIES)
const Used = z.object({
  node: z.string(),
  /** Upgrades since the last message, by address. */
  upgrades: Counts,
  /** Time used up since the last message, ms, by the type of a definition and the key of a caller. */
  calls: z.array(z.tuple([z.string(), z.string(), z.number().min(0)])).max(MAX_ENTRIES),
  /** Sockets now, of address groups that have many. */
  sockets: Counts,
})

type Entries = ReadonlyMap<string, Pick<Entry, 'type' | 'limiter'>>

/**
 * Lets limits count over all nodes: each tells the others what it let through, and subtracts from its own buckets what they
 * tell. A request never waits for that; `docs/decisions/many-nodes.md` says how far a limit can be exceeded meanwhile.
 */
export function shareLimits(bus: Bus, admission: Admission, entries: Entries): { tell(): void; stop(): void } {
  /** The last message named sockets: one without any has to follow. */
  let hadSockets = false
  /** What each other node has told of its sockets. */
  const elsewhere = new Map<string, { readonly at: number; readonly counts: ReadonlyMap<string, number> }>()

  const subscription = bus.subscribe(TOPIC, ({ payload }) => {
    const { node, upgrades, calls, sockets } = Used.parse(JSON.parse(String(payload)))
    if (node === bus.node) return
    const now = performance.now()
    for (const [ip, count] of upgrades) admission.upgradedElsewhere(ip, count, now)
    for (const [type, key, ms] of calls) entries.get(type)?.limiter?.usedElsewhere(key, ms, now)
    elsewhere.set(node, { at: now, counts: new Map(sockets) })
  })
  bus.onGone((node) => elsewhere.delete(node))
  admission.socketsElsewhere = (group) => {
    const now = performance.now()
    let sum = 0
    for (const { at, counts } of elsewhere.values()) {
      if (now - at < SOCKETS_EXPIRE_MS) sum += counts.get(group) ?? 0
    }
    return sum
  }

  return {
    /** Tells the other nodes what was let through since the last call. To be called every `SHARE_LIMITS_MS`. */
    tell() {
      const upgrades = drain(admission.upgraded)
      const calls = [...entries.values()].flatMap(({ type, limiter }) =>
        limiter ? drain(limiter.used).map(([key, ms]) => [type, key, ms]) : [],
      )
      if (bus.nodes().length === 0) return
      const sockets = admission.crowdedGroups(MAX_ENTRIES)
      if (upgrades.length + calls.length + sockets.length === 0 && !hadSockets) return
      hadSockets = sockets.length > 0
      const used = { node: bus.node, upgrades, calls: calls.slice(0, MAX_ENTRIES), sockets }
      bus.publish(TOPIC, { seq: 0, payload: JSON.stringify(used) })
    },
    stop: () => subscription.unsubscribe(),
  }
}

function drain(counts: Map<string, number>): [key: string, count: number][] {
  const drained = [...counts].slice(0, MAX_ENTRIES)
  counts.clear()
  return drained
}
