import { z } from 'zod'

/** Input of a list: the `nextCursor` of the page before, and how many items at most. Browser-safe. */
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

/** What a query reads for a page: `take` rows that come after `after`, newest first; equal times by id, highest first. */
export interface PageRows {
  readonly after: { readonly at: Date; readonly id: string } | undefined
  readonly take: number
}

interface PageSource<Row, Item> {
  /** How many items a page has unless the request says so. Default 20. */
  readonly limit?: number
  read(rows: PageRows): Promise<readonly Row[]>
  /** What the list is sorted by: a time in ms since the epoch, and the id. */
  key(row: Row): { readonly at: number; readonly id: string }
  item(row: Row): Item
}

/** Reads one page of a list, newest first. It reads one row more than it answers, to know whether there is a next page. */
export async function readPage<Row, Item>(
  { cursor, limit: wanted }: PageRequest,
  { limit = 20, read, key, item }: PageSource<Row, Item>,
): Promise<{ items: Item[]; nextCursor?: string }> {
  const count = wanted ?? limit
  const rows = await read({ after: cursor === undefined ? undefined : parseCursor(cursor), take: count + 1 })
  const page = rows.slice(0, count)
  const items = page.map(item)
  const last = page.at(-1)
  if (rows.length <= count || last === undefined) return { items }
  const { at, id } = key(last)
  return { items, nextCursor: `${at}_${id}` }
}

function parseCursor(cursor: string): { at: Date; id: string } {
  const end = cursor.indexOf('_')
  return { at: new Date(Number(cursor.slice(0, end))), id: cursor.slice(end + 1) }
}
