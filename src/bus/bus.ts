/** One message between processes. `seq` orders the events of a channel; it is 0 where there is no order to keep. */
export interface BusMessage {
  readonly seq: number
  readonly payload: string | Uint8Array
}

export interface BusSubscription {
  /** Resolves once messages published anywhere from now on arrive here; rejects after a deadline. */
  readonly ready: Promise<void>
  /** No listener call begins after this returned. */
  unsubscribe(): void
}

/**
 * What crosses processes.
 *
 * Delivery is at most once: a message published while a listener's process is cut off from the bus is lost to it, so
 * whoever must not miss one carries a `seq` and reads again from the database on a gap. Messages of one publisher to
 * one topic arrive in the order of publishing, exactly as given; between publishers there is no order. The
 * publishing process hears its own messages. A listener may be called before `publish` returns. A listener that
 * throws is logged and disturbs neither the publisher nor other listeners.
 */
export interface Bus {
  /** Never throws and never waits: what can't be sent is dropped and counted. */
  publish(topic: string, message: BusMessage): void
  subscribe(topic: string, listener: (message: BusMessage) => void): BusSubscription
  /** Whether anybody, in any process, may be listening. May err towards true. */
  hasSubscribers(topic: string): boolean
  /** Rejects when the bus does not answer within `deadlineMs`. */
  ping(deadlineMs: number): Promise<void>
  close(): Promise<void>
}
