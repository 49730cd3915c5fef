/** The limits of a server, which every client gets in `welcome.limits`. */
export interface Limits {
  /** Largest frame of a client, in bytes. A larger one ends the connection. */
  readonly frameBytes: number
  /** The same for a socket without a user. A larger frame is refused without being read. */
  readonly anonymousFrameBytes: number
  /** Deepest nesting of arrays and objects in a frame. */
  readonly jsonDepth: number
  /** Requests of one socket that may wait for their answer at once. */
  readonly requestsInFlight: number
  /** Subscriptions of one socket. */
  readonly subscriptions: number
  readonly requestsPerSecond: number
  readonly requestsBurst: number
  /** Calls of methods with the effect `input`, which are counted apart from requests. */
  readonly inputsPerSecond: number
  /** Bytes of all frames of one socket. */
  readonly bytesPerSecond: number
  readonly bytesBurst: number
  /** All sockets of one user together may use so many times the requests, inputs and bytes of one socket. */
  readonly timesPerUser: number
  /** The same for an address group: an IPv4 address or the /64 of an IPv6 address. Sockets with a user are counted apart. */
  readonly timesPerIp: number
  readonly socketsPerIp: number
  /** Upgrades from one address group. */
  readonly upgradesPerSecond: number
  readonly upgradesBurst: number
  /** Reads of callers without a user that may wait for the database at once, all together. */
  readonly anonymousReads: number
  /** Bytes that may wait in the server for one socket. With more, a `reliable` stream closes it with 4008. */
  readonly unsentBytes: number
  /** Bytes that may wait before `latest` streams skip the socket. */
  readonly latestUnsentBytes: number
  /** What the streams of one socket may cost together, where their channels declare a cost. */
  readonly streamFramesPerSecond: number
  readonly streamBytesPerSecond: number
  /** A request that takes longer is answered with `TIMEOUT`. */
  readonly requestMs: number
  /** A socket without a user and without a stream is closed after this long without a request. */
  readonly anonymousIdleMs: number
}

export const defaultLimits: Limits = {
  frameBytes: 64 * 1024,
  anonymousFrameBytes: 8 * 1024,
  jsonDepth: 32,
  requestsInFlight: 64,
  subscriptions: 256,
  requestsPerSecond: 100,
  requestsBurst: 200,
  inputsPerSecond: 120,
  bytesPerSecond: 32 * 1024,
  bytesBurst: 128 * 1024,
  timesPerUser: 2,
  timesPerIp: 16,
  socketsPerIp: 64,
  upgradesPerSecond: 10,
  upgradesBurst: 128,
  anonymousReads: 5,
  unsentBytes: 1024 * 1024,
  latestUnsentBytes: 64 * 1024,
  streamFramesPerSecond: 120,
  streamBytesPerSecond: 512 * 1024,
  requestMs: 10_000,
  anonymousIdleMs: 15 * 60_000,
}
