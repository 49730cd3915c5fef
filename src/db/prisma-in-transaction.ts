import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { type Prisma, PrismaClient } from './generated/client.ts'

type Tx = Prisma.TransactionClient

/** A connection that is in a transaction. */
interface LentConnection {
  query(config: pg.QueryConfig): Promise<pg.QueryResult>
}

/** Prisma in a transaction that somebody else has begun. */
interface LentPrisma {
  /** The first call opens Prisma's side of the transaction. Chained calls for relations are not supported. */
  readonly tx: Tx
  /** Closes Prisma's side if it was opened. Call it before the transaction ends. Never rejects. */
  end(): Promise<void>
}

/**
 * A Prisma client whose interactive transactions run on connections of others, which send BEGIN and COMMIT themselves.
 * Prisma's transactions are opened one after another, which takes a few microtasks, so that each gets the right connection.
 */
export class PrismaLender {
  readonly #prisma: PrismaClient
  readonly #timeoutMs: number
  #lent: LentConnection | undefined
  #opening: Promise<unknown> = Promise.resolve()

  /** @param timeoutMs longer than any transaction lives */
  constructor(statementNameGenerator: StatementNames, timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    const pool = Object.assign(new pg.Pool({ max: 1 }), { connect: async () => this.#take() })
    this.#prisma = new PrismaClient({
      adapter: new PrismaPg(pool, { disposeExternalPool: false, statementNameGenerator }),
      errorFormat: 'minimal',
    })
  }

  lend(connection: LentConnection): LentPrisma {
    let opened: Promise<LentPrisma> | undefined
    const open = () => {
      opened ??= this.#open(connection)
      return opened
    }
    return {
      tx: lazily(this.#prisma, async () => (await open()).tx),
      async end() {
        await opened?.then(({ end }) => end()).catch(() => undefined)
      },
    }
  }

  /** Loads the query compiler. */
  connect(): Promise<void> {
    return this.#prisma.$connect()
  }

  close(): Promise<void> {
    return this.#prisma.$disconnect()
  }

  #open(connection: LentConnection): Promise<LentPrisma> {
    const opened = this.#opening.then(() => this.#begin(connection))
    this.#opening = opened.catch(() => undefined)
    return opened
  }

  #begin(connection: LentConnection): Promise<LentPrisma> {
    this.#lent = connection
    return new Promise((resolve, reject) => {
      const untilEnd = (tx: Tx) =>
        new Promise<void>((finish) => {
          const end = () => {
            finish()
            return transaction
          }
          resolve({ tx, end })
        })
      const transaction = this.#prisma.$transaction(untilEnd, { timeout: this.#timeoutMs })
      transaction.catch(reject)
    })
  }

  #take() {
    const connection = this.#lent
    this.#lent = undefined
    if (!connection) throw new Error('a transaction of Prisma was opened without a connection')
    return {
      query: (config: pg.QueryConfig) =>
        OWNED_BY_LENDER.has(config.text) ? Promise.resolve(NOTHING) : connection.query(config),
      on: () => undefined,
      removeListener: () => undefined,
      release: () => undefined,
    }
  }
}

const OWNED_BY_LENDER: ReadonlySet<string> = new Set(['BEGIN', 'COMMIT', 'ROLLBACK'])
const NOTHING = { fields: [], rows: [], rowCount: 0 }

/** Looks like a Prisma client. Its calls wait until `open` has given their transaction. */
function lazily(prisma: PrismaClient, open: () => Promise<Tx>): Tx {
  return new Proxy<Tx>(prisma, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member === 'function') return async (...args: unknown[]) => callOf(await open(), name, args)
      if (typeof member !== 'object' || member === null) return member
      return new Proxy(member, {
        get(model, action) {
          const value: unknown = Reflect.get(model, action)
          if (typeof value !== 'function') return value
          return async (...args: unknown[]) => callOf(Reflect.get(await open(), name), action, args)
        },
      })
    },
  })
}

function callOf(target: object, name: string | symbol, args: unknown[]): unknown {
  const method: unknown = Reflect.get(target, name)
  if (typeof method !== 'function') throw new TypeError(`${String(name)} is not available in a transaction of Prisma`)
  return Reflect.apply(method, target, args)
}

/** Names Prisma's queries by their text, so that a connection prepares each query once. */
export type StatementNames = NonNullable<
  NonNullable<ConstructorParameters<typeof PrismaPg>[1]>['statementNameGenerator']
>

/** A prepared query takes some ten kilobytes of a connection. Queries beyond this number are not prepared. */
const MAX_NAMES = 256
const UNNAMED = ''

/** Clients that share connections share one generator: a name means the same text on each connection. */
export function createStatementNames(): StatementNames {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known !== undefined) return known
    if (names.size >= MAX_NAMES) return UNNAMED
    const name = `prisma_${names.size}`
    names.set(sql, name)
    return name
  }
}
