import type { Bus } from './bus/bus.ts'
import type { Database } from './db/database.ts'
import type { Engine } from './engine/index.ts'
import { addProcessMetrics } from './metrics/process-metrics.ts'
import { ReadRegistry } from './metrics/registry.ts'
import type { Queue } from './modules/platform.ts'
import { closeCodes } from './protocol/index.ts'
import type { Dispatcher, Hub } from './rpc/index.ts'
import type { Server } from './server/server.ts'

export interface MetricSources {
  readonly version: string
  readonly dispatcher: Pick<Dispatcher<never, never>, 'admission' | 'counted' | 'entries' | 'inFlight' | 'unread'>
  readonly hub: Pick<Hub, 'countByType' | 'stats'>
  readonly engine: Engine
  readonly bus: Pick<Bus, 'stats' | 'nodes'>
  readonly pools: Database['pools']
  /** By `module.name`. */
  readonly queues: readonly (readonly [name: string, queue: Queue])[]
  /** It is made after the metrics, which it shows. */
  readonly server: () => Pick<Server, 'stats' | 'connectionsRefused' | 'isReady'>
  readonly isDraining: () => boolean
}

/**
 * Every metric, by name. The parts of Rally keep plain numbers and histograms, which are read here when somebody asks. Labels
 * have few values: no user, match or address is one.
 */
export function createMetrics(sources: MetricSources) {
  const registry = new ReadRegistry()
  addNodeMetrics(registry, sources)
  addSocketMetrics(registry, sources)
  addRequestMetrics(registry, sources)
  addMatchMetrics(registry, sources)
  addQueueMetrics(registry, sources)
  const stopObserving = addProcessMetrics(registry)
  return {
    /** The text that Prometheus scrapes. */
    text: () => registry.text(),
    /** Stops observing the process. */
    close: stopObserving,
  }
}

function addNodeMetrics(registry: ReadRegistry, { version, server, isDraining, bus }: MetricSources): void {
  const build = [[{ version, node_version: process.version }, 1] as const]
  registry.gauge('rally_build_info', 'Always 1: the version of Rally and of Node', () => build, [
    'version',
    'node_version',
  ])
  const readyHelp = 'Whether database and bus answer and the node is not leaving: 1 or 0'
  registry.gauge('rally_ready', readyHelp, async () => (!isDraining() && (await server().isReady()) ? 1 : 0))
  registry.gauge('rally_draining', 'Whether the node is leaving: 1 or 0', () => (isDraining() ? 1 : 0))
  registry.gauge('rally_nodes', 'Nodes that this one knows, with itself', () => bus.nodes().length + 1)
  registry.gauge('rally_bus_connected', 'Whether Redis is connected: 1 or 0; 1 without Redis', () =>
    bus.stats.isConnected ? 1 : 0,
  )
  registry.counter('rally_bus_cuts_total', 'How often the connection to Redis was lost', () => bus.stats.cuts)
  const gapsHelp = 'How often messages of other nodes may have been missed, so that streams were opened again'
  registry.counter('rally_bus_gaps_total', gapsHelp, () => bus.stats.gaps)
  registry.counter('rally_bus_dropped_total', 'Messages to other nodes that were dropped', () => bus.stats.dropped)
}

function addSocketMetrics(registry: ReadRegistry, { server, hub }: MetricSources): void {
  const bySignIn = (read: (counts: { open: number; opened: number }) => number) => {
    const { ofUsers, ...all } = server().stats
    return [[{ signed_in: 'yes' }, read(ofUsers)] as const, [{ signed_in: 'no' }, read(all) - read(ofUsers)] as const]
  }
  const names = ['signed_in']
  registry.gauge('rally_sockets', 'Open sockets', () => bySignIn(({ open }) => open), names)
  registry.counter('rally_sockets_opened_total', 'Sockets opened', () => bySignIn(({ opened }) => opened), names)
  const closed = () => {
    const { ofUsers, closed } = server().stats
    // Own codes are shown before their first time too: Prometheus does not see a counter grow that begins at 1.
    return [...new Set([...Object.values(closeCodes), ...closed.keys()])].flatMap((code) => {
      const users = ofUsers.closed.get(code) ?? 0
      const others = (closed.get(code) ?? 0) - users
      return [[{ code, signed_in: 'yes' }, users] as const, [{ code, signed_in: 'no' }, others] as const]
    })
  }
  const closedHelp = 'Sockets closed, by the close code of this node, else of the client; 0 for codes it does not know'
  registry.counter('rally_sockets_closed_total', closedHelp, closed, ['code', 'signed_in'])
  const receivedHelp = 'Bytes of messages from sockets, without the framing'
  registry.counter('rally_received_bytes_total', receivedHelp, () => server().stats.receivedBytes)
  const sentHelp = 'Bytes of messages to sockets, without the framing'
  registry.counter('rally_sent_bytes_total', sentHelp, () => server().stats.sentBytes)
  const droppedHelp = 'Messages that a socket had no room for; the socket is closed with 4008'
  registry.counter('rally_dropped_messages_total', droppedHelp, () => server().stats.droppedFrames)
  const skipsHelp = 'How often a slow socket was left out of a `latest` stream until it had caught up'
  registry.counter('rally_stream_skips_total', skipsHelp, () => hub.stats.skips)
  const published = () => [
    [{ kind: 'event' }, hub.stats.events] as const,
    [{ kind: 'frame' }, hub.stats.frames] as const,
  ]
  const publishedHelp = 'Events and binary frames published by this node that somebody followed'
  registry.counter('rally_published_total', publishedHelp, published, ['kind'])
}

/** The type of frames whose type could not be read, or does not exist: clients must not invent labels. */
const UNKNOWN = 'unknown'

function addRequestMetrics(registry: ReadRegistry, { dispatcher, hub, server }: MetricSources): void {
  const { admission, counted, entries, unread } = dispatcher
  const outcomes = function* () {
    for (const { type, stats } of counted) {
      yield [{ type, outcome: 'ok' }, stats.ok] as const
      if (!stats.failed.has('INTERNAL')) yield [{ type, outcome: 'INTERNAL' }, 0] as const
      for (const [outcome, count] of stats.failed) yield [{ type, outcome }, count] as const
    }
    yield [{ type: UNKNOWN, outcome: 'BAD_ENVELOPE' }, unread.badEnvelopes] as const
    yield [{ type: UNKNOWN, outcome: 'UNKNOWN_TYPE' }, unread.unknownTypes] as const
  }
  registry.counter('rally_requests_total', 'Requests, by type and outcome: ok or the error code', outcomes, [
    'type',
    'outcome',
  ])
  // Most types are rare, and a histogram is twenty lines.
  const latencies = function* () {
    for (const { type, stats } of counted) if (stats.latency.sum > 0) yield [{ type }, stats.latency] as const
  }
  const latencyHelp = 'Time from a request to its answer, of those that began and are no binary input'
  registry.histogram('rally_request_duration_seconds', latencyHelp, latencies, ['type'])
  registry.gauge('rally_requests_in_flight', 'Requests that wait for their answer', () => dispatcher.inFlight)
  const subscriptions = function* () {
    const counts = hub.countByType()
    for (const { type, definition } of entries.values()) {
      if (definition.kind === 'subscription') yield [{ type }, counts.get(type) ?? 0] as const
    }
  }
  registry.gauge('rally_subscriptions', 'Subscriptions of the sockets of this node', subscriptions, ['type'])
  const refused = () => {
    const counts = { ...admission.refused, connection: admission.refused.connection + server().connectionsRefused }
    return Object.entries(counts).map(([what, count]) => [{ what }, count] as const)
  }
  const refusedHelp = 'What was refused because it was over a limit'
  registry.counter('rally_refused_total', refusedHelp, refused, ['what'])
}

function addMatchMetrics(registry: ReadRegistry, { engine }: MetricSources): void {
  const { clock } = engine
  registry.gauge('rally_live_matches', 'Matches that this process runs', () => engine.size)
  registry.counter('rally_ticks_total', 'Steps of live matches', () => clock.ticks)
  const skippedHelp = 'Steps left out after the process had stalled for longer than it may catch up'
  registry.counter('rally_skipped_ticks_total', skippedHelp, () => clock.skippedTicks)
  const latenessHelp = 'How late steps began, of every 16th match'
  registry.histogram('rally_tick_lateness_seconds', latenessHelp, () => clock.lateness)
}

function addQueueMetrics(registry: ReadRegistry, { queues, pools }: MetricSources): void {
  const lengths = () => queues.map(([queue, { length }]) => [{ queue }, length] as const)
  registry.gauge('rally_queue_length', 'How much work waits for its turn', lengths, ['queue'])
  const waits = () => queues.map(([queue, { waits }]) => [{ queue }, waits] as const)
  registry.histogram('rally_queue_wait_seconds', 'How long work has waited for its turn', waits, ['queue'])

  const each = Object.entries(pools)
  const connections = () =>
    each.flatMap(([pool, { size, idle }]) => [
      [{ pool, state: 'idle' }, idle] as const,
      [{ pool, state: 'busy' }, size - idle] as const,
    ])
  const connectionsHelp = 'Connections to the database'
  registry.gauge('rally_database_connections', connectionsHelp, connections, ['pool', 'state'])
  const most = () => each.map(([pool, { max }]) => [{ pool }, max] as const)
  registry.gauge('rally_database_connections_max', 'The most connections that there may be', most, ['pool'])
  const waiting = () => each.map(([pool, { waiting }]) => [{ pool }, waiting] as const)
  registry.gauge('rally_database_waiting', 'Statements and transactions that wait for a connection', waiting, ['pool'])
  const poolWaits = () => each.map(([pool, { waits }]) => [{ pool }, waits] as const)
  const poolWaitsHelp = 'How long statements and transactions have waited for a connection'
  registry.histogram('rally_database_wait_seconds', poolWaitsHelp, poolWaits, ['pool'])
}
