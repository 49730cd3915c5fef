/** The most that following a stream costs in a second. */
export interface Cost {
  readonly frames: number
  readonly bytes: number
}

export interface ChannelOptions {
  /**
   * Events build on one another, so a follower who missed one must subscribe again. Only for `latest` streams; without
   * this flag each event stands alone.
   */
  readonly incremental?: boolean
  /** Turns a binary frame of any node into the frame for sockets of this node. */
  readonly localize?: (frame: Uint8Array) => Uint8Array
  /** A socket follows one channel with the same `oneOf`: opening another one ends it with `replaced`. */
  readonly oneOf?: string
  /** What it costs of the budget of a socket, a user or an address. Default: nothing. */
  readonly cost?: Cost
}

/**
 * Where the events of one stream are published, named `<subscription>` or `<subscription>/<key>`. The type parameter is
 * the event, so only such events can be published to it.
 */
export interface Channel<Event> extends ChannelOptions {
  readonly name: string
  /** The wire name of the subscription: the `type` of its events. */
  readonly type: string
  /** Never set: it carries the type of the events. */
  readonly event?: Event
}

/** Names a channel of the subscription `type`; `key` distinguishes the streams of one subscription. */
export function channel<Event>(type: string, key = '', options: ChannelOptions = {}): Channel<Event> {
  return { name: key === '' ? type : `${type}/${key}`, type, ...options }
}
