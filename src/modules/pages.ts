import { z } from 'zod'
import { RpcError } from '../rpc/index.ts'

/** Input of a list: the `nextCursor` of the page before, and how many items at most. */
export const Page = {
  cursor: z
    .string()
    .regex(/^\d{1,15}_[\w-]{1,40}$/, 'take it from the page before')
    .optional(),
  limit: z.number().int().min(1).max(100).optional(),
}

/** Output of a list: `nextCursor` is absent on the last page. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() })

export type PageRequest = z.infer<z.ZodObject<typeof Page>>

/** Where an item stands in its list: by a whole number, such as a time in ms since the epoch, and by id where that is equal. */
interface Place {
  readonly rank: number
  readonly id: string
}

/** What a query reads for a page: `take` rows that come after `after`, highest rank first; equal ranks by id, highest first. */
export interface PageRows {
  readonly after: Place | undefined
  readonly take: number
}

interface PageSource<Row, Item> {
  /** How many items a page has unless the request says so. Default 20. */
  readonly limit?: number
  /** The highest rank that the query can compare, where not every time in ms is one. */
  readonly maxRank?: number
  /** The ids that the query can compare, where not every text is one. */
  readonly ids?: RegExp
  read(rows: PageRows): Promise<readonly Row[]>
  key(row: Row): Place
  item(row: Row): Item
}

/**
 * Reads one page of a list. It reads one row more than it answers, to know whether there is a next page.
 * @throws RpcError VALIDATION_FAILED for a cursor of another list that the query cannot compare
 */
export async function readPage<Row, Item>(
  { cursor, limit: wanted }: PageRequest,
  { limit = 20, maxRank = Number.MAX_SAFE_INTEGER, ids, read, key, item }: PageSource<Row, Item>,
): Promise<{ items: Item[]; nextCursor?: string }> {
  const count = wanted ?? limit
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  if (after && (after.rank > maxRank || ids?.test(after.id) === false)) {
    throw new RpcError('VALIDATION_FAILED', 'The cursor is of another list')
  }
  const rows = await read({ after, take: count + 1 })
  const page = rows.slice(0, count)
  const items = page.map(item)
  const last = page.at(-1)
  if (rows.length <= count || last === undefined) return { items }
  const { rank, id } = key(last)
  return { items, nextCursor: `${rank}_${id}` }
}

/** Of a list whose ranks are times: the time and id that its rows come before. The first page begins at the end of time. */
export function beforeTime({ after }: PageRows): readonly [Date | 'infinity', string] {
  return after ? [new Date(after.rank), after.id] : ['infinity', '']
}

function parseCursor(cursor: string): Place {
  const end = cursor.indexOf('_')
  return { rank: Number(cursor.slice(0, end)), id: cursor.slice(end + 1) }
}
