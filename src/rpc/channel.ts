/** What following a stream costs at most, a second. */
export interface Cost {
  readonly frames: number
  readonly bytes: number
}

export interface ChannelOptions {
  /**
   * Events build on one another, so that one who missed some must subscribe anew. Only for `latest` streams: their
   * events otherwise each stand alone.
   */
  readonly incremental?: boolean
  /** Makes a binary frame of any node into the one for sockets of this node. */
  readonly localize?: (frame: Uint8Array) => Uint8Array
  /** Of channels with the same `oneOf` a socket follows one: opening another ends the one before with `replaced`. */
  readonly oneOf?: string
  /** Counts against what the streams of a socket, a user or an address may cost. Nothing if absent. */
  readonly cost?: Cost
}

/**
 * Where the events of one stream go, named `<subscription>` or `<subscription>/<key>`. The type parameter is the
 * event, so that only such events can be published to it.
 */
export interface Channel<Event> extends ChannelOptions {
  readonly name: string
  /** The wire name of the subscription: the `type` of its events. */
  readonly type: string
  /** Never present: it carries the type of the events. */
  readonly event?: Event
}

/** Names a channel of the subscription `type`; `key` tells apart the streams of one subscription. */
export function channel<Event>(type: string, key = '', options: ChannelOptions = {}): Channel<Event> {
  return { name: key === '' ? type : `${type}/${key}`, type, ...options }
}
