import type { Sql } from '../../../db/sql.ts'
import { COMPARE } from './statements.ts'

/** How many matches one question is about. */
const CHUNK = 500

/** A match as a process runs it. */
export interface Held {
  readonly id: string
  readonly fence: number
  readonly match: { readonly version: number }
}

export interface Difference {
  readonly id: string
  readonly state: 'gone' | 'changed' | 'unheld'
}

/**
 * Where what `node` runs is not what the database says it runs. Asks in parts, so that thousands of matches hold up
 * neither this process nor the database, and is answered with differences alone.
 */
export async function* differences(sql: Sql, node: string, running: Iterable<Held>): AsyncGenerator<Difference> {
  const held = [...running]
    .map(({ id, fence, match }) => ({ id, fence, version: match.version }))
    // By bytes, as the statement compares: ids are ASCII.
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  let above: string | null = null
  for (let from = 0; from === 0 || from < held.length; from += CHUNK) {
    const chunk = held.slice(from, from + CHUNK)
    const last = from + CHUNK < held.length ? (chunk.at(-1)?.id ?? null) : null
    yield* await sql.rows(COMPARE, [
      node,
      chunk.map(({ id }) => id),
      chunk.map(({ fence }) => fence),
      chunk.map(({ version }) => version),
      above,
      last,
    ])
    above = last
  }
}
