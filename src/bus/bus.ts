/** One message between nodes. `seq` orders the events of a channel; it is 0 where there is no order to keep. */
export interface BusMessage {
  readonly seq: number
  readonly payload: string | Uint8Array
}

export interface BusSubscription {
  /**
   * Resolves once messages that are published anywhere from now on arrive here. Rejects after a deadline, when other
   * nodes exist that cannot be reached.
   */
  readonly ready: Promise<void>
  /** No listener call begins after this returned. */
  unsubscribe(): void
}

export type BusListener = (message: BusMessage) => void
export type DirectListener = (message: BusMessage, from: string) => void

/** How well a node reaches the others. Numbers are since the start. */
export interface BusStats {
  readonly isConnected: boolean
  /** How often the connection was lost. */
  readonly cuts: number
  /** How often subscribers were told that messages may be missing. */
  readonly gaps: number
  /** Messages to other nodes that were dropped. */
  readonly dropped: number
}

/**
 * What crosses nodes. A node is one process of Rally; all nodes on one bus form a cluster.
 *
 * Delivery is at most once. Messages of one publisher to one topic arrive in the order of publishing, with exactly the
 * payload that was given; between publishers there is no order. Listeners of the publishing node are called before
 * `publish` returns, whether or not other nodes can be reached. A listener that throws is logged and disturbs neither
 * the publisher nor other listeners.
 */
export interface Bus {
  /** The id of this node. */
  readonly node: string
  /** Enters the cluster, and learns what the others listen to. @throws Error when that takes too long */
  start(): Promise<void>
  /** Never throws and never waits. What cannot be sent to other nodes is dropped and counted. */
  publish(topic: string, message: BusMessage): void
  /**
   * @param onLost is called when messages may have been missed, once the subscription is whole again: after the bus was
   *   cut off, a message did not arrive, or a node died. Subscribers that must not miss anything then read from the
   *   database again.
   */
  subscribe(topic: string, listener: BusListener, onLost?: () => void): BusSubscription
  /** Whether anybody on any node listens. May err towards true; never towards false once their `ready` has resolved. */
  hasSubscribers(topic: string): boolean
  /** Sends to one node, which may be this one. Like `publish` it never throws and never waits. */
  send(node: string, topic: string, message: BusMessage): void
  /** Listens to what is sent to this node. Returns the end of it. */
  receive(topic: string, listener: DirectListener): () => void
  /** The other nodes that are alive, as far as this one knows. */
  nodes(): readonly string[]
  /** Tells of each other node that left, died or has been unreachable for some seconds. Returns the end of it. */
  onGone(listener: (node: string) => void): () => void
  readonly stats: BusStats
  /** Rejects when the bus does not answer within `deadlineMs`. */
  ping(deadlineMs: number): Promise<void>
  /** Leaves the cluster. */
  close(): Promise<void>
}
