import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { type Action, type OwnCall, useAction } from '../hooks/use-action.ts'
import { Button, TextButton } from './button.tsx'
import { ErrorNotice, Loading } from './notice.tsx'

interface Pages<Item> {
  readonly items: readonly Item[]
  readonly nextCursor?: string | undefined
}

/** A list that the server gives page by page. The first page is loaded at once; `load` must be memoised. */
export function usePages<Item>(load: (cursor: string | undefined, call: OwnCall) => Promise<Pages<Item>>) {
  const [pages, setPages] = useState<Pages<Item> | null>(null)
  const action = useAction(
    useCallback(
      async (call, cursor?: string) => {
        const { items, nextCursor } = await load(cursor, call)
        setPages((before) => ({ items: cursor && before ? [...before.items, ...items] : items, nextCursor }))
      },
      [load],
    ),
  )
  const { run } = action
  useEffect(() => run(), [run])
  const forget = (item: Item) =>
    setPages((before) => before && { ...before, items: before.items.filter((each) => each !== item) })
  return { pages, action, forget }
}

interface PagedListProps {
  readonly pages: Pages<unknown> | null
  readonly action: Action<[cursor?: string]>
  /** Shown while the first page is loading. */
  readonly loading: string
  readonly children: ReactNode
}

/** Around such a list: the wait for the first page, an error, and the button for the next page. */
export function PagedList({ pages, action, loading, children }: PagedListProps) {
  const cursor = pages?.nextCursor
  return (
    <>
      <ErrorNotice error={action.error}>
        {' '}
        <TextButton onClick={() => action.run(cursor)}>Try again</TextButton>
      </ErrorNotice>
      {!pages && action.busy && <Loading>{loading}</Loading>}
      {children}
      {cursor && (
        <Button busy={action.busy} onClick={() => action.run(cursor)}>
          Show older ones
        </Button>
      )}
    </>
  )
}
