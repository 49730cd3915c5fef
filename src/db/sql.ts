/** A prepared statement. Each connection parses it once, under its name. `Row` is the type of its rows. */
export interface Statement<Row> {
  readonly name: string
  readonly text: string
  /** Never set: it carries the type. */
  readonly row?: Row
}

/**
 * Runs prepared statements. In a transaction, statements started without an await between them share one round trip (pg's
 * pipeline mode). Outside of a transaction each uses a connection of its own.
 *
 * The keys of a row are its columns, so statements use aliases (`created_at AS "createdAt"`). `int8` is read as a number,
 * and fails beyond 2^53. `timestamptz` is read as a Date, `json` parsed, `bytea` as a Buffer, `numeric` as text. Values are
 * sent the same way: a plain object as JSON, an array as a Postgres array. So pass a JSON array as `JSON.stringify(array)`.
 */
export interface Sql {
  rows<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>
  /** The first row, null when there is none. */
  first<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row | null>
}

/** Postgres truncates longer names, so two of them could become one. */
const MAX_NAME = 63

/** @param name unique for its text, such as `matches.byId`; at most 63 characters */
export function statement<Row>(name: string, text: string): Statement<Row> {
  if (name.length === 0 || name.length > MAX_NAME) throw new Error(`the statement's name is too long or empty: ${name}`)
  return { name, text }
}

/** SQL: a time, or an interval, in whole milliseconds, as `Date` has it. */
export function msOf(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::int8`
}
