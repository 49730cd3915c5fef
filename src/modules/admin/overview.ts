import { statement } from '../../db/sql.ts'
import { type Channel, channel } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { NodeFigures, type Overview } from './types.ts'

/** How often the overview is made while somebody follows it. */
export const OVERVIEW_EVERY_MS = 2_000
/** How long another node may take to answer. */
const ANSWER_MS = 1_000
const FIGURES = 'admin.figures'

const COUNTS = statement<Pick<Overview, 'users' | 'waitingMatches' | 'liveMatches'>>(
  'admin.counts',
  `SELECT (SELECT count(DISTINCT user_id) FROM presence) AS users,
     count(*) FILTER (WHERE status = 'waiting') AS "waitingMatches", count(*) FILTER (WHERE status = 'live') AS "liveMatches"
   FROM matches WHERE status IN ('waiting', 'live')`,
)

type Asked = Pick<NodeFigures, 'requests' | 'uptimeMs'>

/**
 * All nodes at one moment, made by this node for its own followers. The channel is the node's own, so nodes that have
 * followers at the same time do not send each other's overviews.
 */
export class NodeOverview {
  readonly channel: Channel<Overview>
  readonly #platform: Platform
  /** What each node answered last. */
  #asked: ReadonlyMap<string, Asked> = new Map()
  #newest: { readonly seq: number; readonly madeAt: number; readonly overview: Overview } | undefined
  #making: Promise<{ seq: number; overview: Overview }> | undefined

  constructor(platform: Platform) {
    this.#platform = platform
    this.channel = channel('admin.onOverview', platform.node)
    platform.nodes.answer(FIGURES, async () => this.#figures())
  }

  /** The newest overview, which may be one period old. */
  async read(): Promise<{ seq: number; overview: Overview }> {
    const newest = this.#newest
    if (newest && performance.now() - newest.madeAt < OVERVIEW_EVERY_MS) return newest
    return this.#make()
  }

  /** Publishes a new overview, if anybody follows. */
  async publish(): Promise<void> {
    const { hub } = this.#platform
    if (!hub.isFollowed(this.channel)) return
    const { seq, overview } = await this.#make()
    hub.publish(this.channel, seq, overview)
  }

  #make(): Promise<{ seq: number; overview: Overview }> {
    this.#making ??= this.#gather().finally(() => {
      this.#making = undefined
    })
    return this.#making
  }

  async #gather() {
    const { bus, nodes, database, node } = this.#platform
    const others = bus.nodes().filter((id) => id !== node)
    const ask = async (id: string) => NodeFigures.parse(await nodes.ask(id, FIGURES, {}, ANSWER_MS))
    const [counts, ...answers] = await Promise.all([
      database.sql.first(COUNTS),
      ...others.map((id) => ask(id).catch(() => id)),
    ])
    const told = answers.filter((answer) => typeof answer !== 'string')
    const all = [this.#figures(), ...told]
    const before = this.#asked
    this.#asked = new Map(all.map(({ id, requests, uptimeMs }) => [id, { requests, uptimeMs }]))
    const overview: Overview = {
      at: Date.now(),
      nodes: all.map(({ requests, ...figures }) => ({
        ...figures,
        requestsPerSecond: perSecond(before.get(figures.id), { requests, uptimeMs: figures.uptimeMs }),
      })),
      silentNodes: answers.filter((answer) => typeof answer === 'string'),
      sockets: all.reduce((sum, { sockets }) => sum + sockets, 0),
      ...(counts ?? { users: 0, waitingMatches: 0, liveMatches: 0 }),
    }
    this.#newest = { seq: (this.#newest?.seq ?? 0) + 1, madeAt: performance.now(), overview }
    return this.#newest
  }

  #figures(): NodeFigures {
    const { node, version, connections, engine, requests } = this.#platform
    let users = 0
    for (const _ of connections.users()) users++
    return {
      id: node,
      version,
      uptimeMs: Math.round(process.uptime() * 1000),
      sockets: connections.size,
      users,
      liveMatches: engine.size,
      requests: requests(),
      memoryBytes: process.memoryUsage.rss(),
    }
  }
}

function perSecond(before: Asked | undefined, now: Asked): number | null {
  const seconds = (now.uptimeMs - (before?.uptimeMs ?? now.uptimeMs)) / 1000
  return before && seconds > 0 ? Math.round((now.requests - before.requests) / seconds) : null
}
