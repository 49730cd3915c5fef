import { AsyncResource } from 'node:async_hooks'
import type pg from 'pg'

/** Is told of each statement, for traces. */
export interface StatementObserver {
  /** Called where the statement is asked for. Undefined: it is not of interest. */
  statement(name: string): ObservedStatement | undefined
}

interface ObservedStatement {
  /** Goes in front of the statement's text. */
  readonly comment: string
  ended(error: unknown): void
}

type Callback = (...args: readonly unknown[]) => unknown

/** What `pg` is given: SQL, its options, or a query of its own. */
type Query = string | { readonly text: string; readonly name?: unknown; readonly callback?: unknown }

/**
 * Tells `observer` of the statements of a pool. One that is of interest is sent with its comment and without a name: Postgres
 * parses it for this one time, and the prepared statement stays as it is.
 */
export function observeStatements(pool: pg.Pool, observer: StatementObserver): void {
  const { connect } = pool
  Object.assign(pool, {
    // The pool calls back from where another caller returned the connection.
    connect: (callback?: Callback) => Reflect.apply(connect, pool, callback ? [AsyncResource.bind(callback)] : []),
  })
  pool.on('connect', (client) => {
    const { query } = client
    const send: Callback = (...args) => Reflect.apply(query, client, args)
    Object.assign(client, {
      query: (asked: Query, ...rest: readonly unknown[]) => {
        const observed = observer.statement(nameOf(asked))
        return observed ? sendObserved(send, observed, asked, rest) : send(asked, ...rest)
      },
    })
  })
}

function sendObserved(send: Callback, { comment, ended }: ObservedStatement, asked: Query, rest: readonly unknown[]) {
  const telling =
    (callback: Callback): Callback =>
    (error, result) => {
      ended(error)
      return callback(error, result)
    }
  // A query of `pg` is sent itself. It is made for one use.
  if (typeof asked === 'object' && isCallback(asked.callback)) {
    const callback = telling(asked.callback)
    return send(Object.assign(asked, { text: comment + asked.text, name: undefined, callback }), ...rest)
  }
  const commented =
    typeof asked === 'string' ? comment + asked : { ...asked, text: comment + asked.text, name: undefined }
  const last = rest.at(-1)
  if (isCallback(last)) return send(commented, ...rest.slice(0, -1), telling(last))
  const result = send(commented, ...rest)
  if (result instanceof Promise) result.then(() => ended(null), ended)
  return result
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function'
}

const OF_PRISMA = /^prisma_\d+$/

/** The name of a prepared statement. Others, and Prisma's, are named by what they do: `SELECT users`. */
function nameOf(asked: Query): string {
  const { name, text } = typeof asked === 'string' ? { name: '', text: asked } : asked
  if (typeof name === 'string' && name !== '' && !OF_PRISMA.test(name)) return name
  const verb = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL'
  const table = /\b(?:FROM|INTO|UPDATE)\s+(?:"public"\.)?"(\w+)"/.exec(text)?.[1]
  return table === undefined ? verb : `${verb} ${table}`
}
