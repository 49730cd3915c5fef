import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

/**
 * Kinds of failures of the database:
 * - `conflict`: the transaction lost against another and was rolled back; running it again may succeed
 * - `connection`: the database cannot be reached or the connection broke; whether a commit happened is unknown
 * - `busy`: it was reached but did not serve: no free connection, a statement or transaction over its limit, a full disk, a
 *   server that only reads (after a failover)
 */
type Failure = 'conflict' | 'connection' | 'busy'

// The same failure may come as a Prisma error with its own code, as Prisma's P2010 around the driver's error, as a driver
// error with a SQLSTATE, or with nothing but a message (from `pg`'s pool).
const Shape = z.object({
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
  meta: z.object({ driverAdapterError: z.unknown().optional() }).optional().catch(undefined),
  cause: z.unknown().optional(),
  kind: z.string().optional().catch(undefined),
  originalCode: z.string().optional().catch(undefined),
})

/** Codes of Prisma, of its driver adapter, of Postgres (SQLSTATE, see "PostgreSQL Error Codes") and of sockets. */
const CODES: readonly (readonly [Failure, string])[] = [
  ['conflict', 'P2034 TransactionWriteConflict 40001 40P01'],
  ['connection', 'P1001 P1002 P1017 DatabaseNotReachable ConnectionClosed SocketTimeout 57P01 57P02 57P03 57P05'],
  ['connection', 'ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN EPIPE ETIMEDOUT'],
  ['busy', 'P1008 P2024 P2028 P2037 TooManyConnections 53100 53200 53300 53400 55P03 57014 25006 25P03 25P04 58030'],
]
const BY_CODE: ReadonlyMap<string, Failure> = new Map(
  CODES.flatMap(([failure, codes]) => codes.split(' ').map((code) => [code, failure] as const)),
)

const BY_MESSAGE: readonly (readonly [RegExp, Failure])[] = [
  [/^timeout exceeded when trying to connect/, 'busy'],
  [/^Query read timeout/, 'busy'],
  [/^Connection terminated/, 'connection'],
  [/not queryable$/, 'connection'],
  [/^Cannot use a pool after calling end/, 'connection'],
]

/** How deep errors are wrapped in each other. */
const MAX_DEPTH = 5

function failureOf(error: unknown, depth = 0): Failure | undefined {
  const parsed = depth < MAX_DEPTH && typeof error === 'object' ? Shape.safeParse(error) : undefined
  if (!parsed?.success) return undefined
  const { code = '', kind = '', originalCode = '', message, meta, cause } = parsed.data
  for (const name of [originalCode, kind, code]) {
    const failure = BY_CODE.get(name) ?? (/^08[0-9A-Z]{3}$/.test(name) ? 'connection' : undefined)
    if (failure) return failure
  }
  return (
    failureOf(meta?.driverAdapterError, depth + 1) ??
    failureOf(cause, depth + 1) ??
    BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1]
  )
}

/** Whether the database cannot be reached or did not serve in time. The request itself was not wrong. */
export function isUnavailable(error: unknown): boolean {
  const failure = failureOf(error)
  return failure === 'connection' || failure === 'busy'
}

/** This process has as much to do as it accepts at once. The code is what Postgres uses for the same. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded'
  readonly code = '53300'
}

/** The longest pause before the second attempt, which doubles from there, and the longest of all. */
const FIRST_PAUSE_MS = 20
const MAX_PAUSE_MS = 500

export interface RetryOptions {
  /** Including the first one. Default 5. */
  readonly attempts?: number
  /** Whether `fn` may run twice. Only then is it repeated after a broken connection. Default false. */
  readonly idempotent?: boolean
  /** No attempt begins later than this after the first. Default 5000. */
  readonly deadlineMs?: number
}

/**
 * Runs `fn`, and runs it again while it loses against concurrent transactions, after a pause of random length (full jitter).
 * `fn` has to be one statement or one transaction.
 *
 * @throws what the last attempt threw
 */
export async function withRetry<T>(fn: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, idempotent = false, deadlineMs = 5000 } = options
  const deadline = performance.now() + deadlineMs
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn()
    } catch (error) {
      const failure = failureOf(error)
      const again = failure === 'conflict' || (idempotent && failure === 'connection')
      const pauseMs = Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MAX_PAUSE_MS)
      if (!again || attempt >= attempts || performance.now() + pauseMs > deadline) throw error
      await delay(pauseMs)
    }
  }
}
