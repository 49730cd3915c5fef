import { RpcError } from '../../rpc/index.ts'

export interface ListPage {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** What a list is sorted by, newest first; equal times by id. */
export type ListOrder = 'createdAt' | 'finishedAt'

/** Where a page ended, for the next one to go on from. */
export function toCursor(at: number | null, id: string): string {
  return `${at ?? 0}.${id}`
}

/** @throws RpcError VALIDATION_FAILED for a cursor that no page gave. */
export function readCursor(cursor: string | undefined): { at: Date; id: string } | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] = /^(\d{1,13})\.(.{1,40})$/.exec(cursor) ?? []
  if (at === undefined || id === undefined) {
    throw new RpcError('VALIDATION_FAILED', 'The data is not valid', {
      issues: [{ path: 'cursor', message: 'take it from the page before' }],
    })
  }
  return { at: new Date(Number(at)), id }
}
