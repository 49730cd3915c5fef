/** One prepared statement: parsed and planned once a connection, under its name. `Row` is what a row of it comes as. */
export interface Statement<Row> {
  readonly name: string
  readonly text: string
  /** Never there: it carries the type. */
  readonly row?: Row
}

/**
 * Runs prepared statements. In a transaction, those started without an await between them share one round trip (pg's
 * pipeline mode); outside of one each has a connection of its own.
 *
 * A row is an object by its columns' names, so a statement names them with aliases as TypeScript has them
 * (`created_at AS "createdAt"`). `int8` comes as a number, and one beyond 2^53 fails the statement; `timestamptz` comes
 * as a Date, `json` parsed, `bytea` as a Buffer, `numeric` as text. Values are sent the same way: a Date as a moment, a
 * plain object as JSON, an array as an array of Postgres, so JSON that is an array goes through `JSON.stringify`.
 */
export interface Sql {
  rows<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>
  /** The first row, null when there is none. */
  first<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row | null>
}

/** Postgres cuts longer names off, and would take two of them for one. */
const MAX_NAME = 63

/** @param name of one text only, as in `matches.byId`; at most 63 characters */
export function statement<Row>(name: string, text: string): Statement<Row> {
  if (name.length === 0 || name.length > MAX_NAME) throw new Error(`the statement's name is too long or empty: ${name}`)
  return { name, text }
}
