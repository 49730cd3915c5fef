/**
 * Where the events of one stream go, named `<subscription>` or `<subscription>/<key>`. The type parameter is the
 * event, so that only such events can be published to it.
 */
export interface Channel<Event> {
  readonly name: string
  /** The wire name of the subscription: the `type` of its events. */
  readonly type: string
  /**
   * Events build on one another, so that one who missed some must subscribe anew. Only for `latest` streams: their
   * events otherwise each stand alone.
   */
  readonly incremental: boolean
  /** Never present: it carries the type of the events. */
  readonly event?: Event
}

/** Names a channel of the subscription `type`; `key` tells apart the streams of one subscription. */
export function channel<Event>(type: string, key = '', options: { incremental?: boolean } = {}): Channel<Event> {
  return { name: key === '' ? type : `${type}/${key}`, type, incremental: options.incremental ?? false }
}
