/** The limits of a server where nothing else is configured. */
export const defaultLimits = {
  /** Largest frame of a client, in bytes. A larger one ends the connection. */
  frameBytes: 64 * 1024,
  /** The same for a socket without a user. A larger frame is refused without being read. */
  anonymousFrameBytes: 8 * 1024,
  /** Deepest nesting of arrays and objects in a frame. */
  jsonDepth: 32,
  /** Requests of one socket that may wait for their answer at once. */
  requestsInFlight: 64,
  /** Subscriptions of one socket. */
  subscriptions: 256,
  requestsPerSecond: 100,
  requestsBurst: 200,
  /** Calls of methods with the effect `input`, which are counted apart from requests. */
  inputsPerSecond: 120,
  /** Bytes of all frames of one socket. */
  bytesPerSecond: 32 * 1024,
  bytesBurst: 128 * 1024,
  /** All sockets of one user together may use so many times the requests, inputs and bytes of one socket. */
  timesPerUser: 2,
  /** The same for an address group: an IPv4 address or the /64 of an IPv6 address. Sockets with a user are counted apart. */
  timesPerIp: 16,
  socketsPerIp: 64,
  /** Upgrades from one address group. */
  upgradesPerSecond: 10,
  upgradesBurst: 128,
  /** Reads of callers without a user that may wait for the database at once, all together. */
  anonymousReads: 5,
  /** Bytes that may wait in the server for one socket. With more, a `reliable` stream closes it with 4008. */
  unsentBytes: 1024 * 1024,
  /** Bytes that may wait before `latest` streams skip the socket. */
  latestUnsentBytes: 64 * 1024,
  /** What the streams of one socket may cost together, where their channels declare a cost. */
  streamFramesPerSecond: 120,
  streamBytesPerSecond: 512 * 1024,
  /** A request that takes longer is answered with `TIMEOUT`. */
  requestMs: 10_000,
  /** A socket without a user and without a stream is closed after this long without a request. */
  anonymousIdleMs: 15 * 60_000,
}

/** The limits of a server, which every client gets in `welcome.limits`. */
export type Limits = Readonly<typeof defaultLimits>
