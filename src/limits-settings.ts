import type { Environment } from './environment.ts'
import { defaultLimits, type Limits } from './protocol/index.ts'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const DAY_MS = 24 * 3_600_000
/** For counts whose highest value does not matter. */
const MANY = 10_000_000

/** What clients may send and hold. @param poolSize connections to the database, of which anonymous readers get a share */
export function readLimits(env: Environment, poolSize: number): Limits {
  const or = defaultLimits
  const anonymousReads = env.int('LIMIT_ANONYMOUS_READS', undefined, 1, 10_000)
  if (anonymousReads !== undefined && anonymousReads >= poolSize) {
    env.refuse('LIMIT_ANONYMOUS_READS', 'leaves nothing of DATABASE_POOL_SIZE to those with an account')
  }
  return {
    frameBytes: env.int('LIMIT_FRAME_BYTES', or.frameBytes, KiB, 16 * MiB),
    anonymousFrameBytes: env.int('LIMIT_ANONYMOUS_FRAME_BYTES', or.anonymousFrameBytes, KiB, 16 * MiB),
    jsonDepth: env.int('LIMIT_JSON_DEPTH', or.jsonDepth, 4, 256),
    requestsInFlight: env.int('LIMIT_REQUESTS_IN_FLIGHT', or.requestsInFlight, 1, 10_000),
    subscriptions: env.int('LIMIT_SUBSCRIPTIONS', or.subscriptions, 1, 100_000),
    requestsPerSecond: env.int('LIMIT_REQUESTS_PER_SECOND', or.requestsPerSecond, 1, MANY),
    requestsBurst: env.int('LIMIT_REQUESTS_BURST', or.requestsBurst, 1, MANY),
    inputsPerSecond: env.int('LIMIT_INPUTS_PER_SECOND', or.inputsPerSecond, 1, MANY),
    bytesPerSecond: env.int('LIMIT_BYTES_PER_SECOND', or.bytesPerSecond, KiB, GiB),
    bytesBurst: env.int('LIMIT_BYTES_BURST', or.bytesBurst, KiB, GiB),
    timesPerUser: env.int('LIMIT_TIMES_PER_USER', or.timesPerUser, 1, 1_000_000),
    timesPerIp: env.int('LIMIT_TIMES_PER_IP', or.timesPerIp, 1, 1_000_000),
    socketsPerIp: env.int('LIMIT_SOCKETS_PER_IP', or.socketsPerIp, 1, MANY),
    upgradesPerSecond: env.int('LIMIT_UPGRADES_PER_SECOND', or.upgradesPerSecond, 1, MANY),
    upgradesBurst: env.int('LIMIT_UPGRADES_BURST', or.upgradesBurst, 1, MANY),
    anonymousReads: anonymousReads ?? Math.floor(poolSize / 2),
    unsentBytes: env.int('LIMIT_UNSENT_BYTES', or.unsentBytes, 64 * KiB, GiB),
    latestUnsentBytes: env.int('LIMIT_LATEST_UNSENT_BYTES', or.latestUnsentBytes, 4 * KiB, GiB),
    streamFramesPerSecond: env.int('LIMIT_STREAM_FRAMES_PER_SECOND', or.streamFramesPerSecond, 60, 1_000_000),
    streamBytesPerSecond: env.int('LIMIT_STREAM_BYTES_PER_SECOND', or.streamBytesPerSecond, 64 * KiB, GiB),
    requestMs: env.int('LIMIT_REQUEST_MS', or.requestMs, 100, 600_000),
    anonymousIdleMs: env.int('LIMIT_ANONYMOUS_IDLE_MS', or.anonymousIdleMs, 1_000, DAY_MS),
  }
}
