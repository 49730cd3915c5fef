import { useCallback, useEffect, useState } from 'react'
import type { ListedRoom, PastRoom, Room, RoomKind } from '../../../../src/modules/rooms/types.ts'
import { duration } from '../../format.ts'
import { type OwnCall, useAction } from '../../hooks/use-action.ts'
import { JoinByCode } from '../../join-by-code.tsx'
import { useRally } from '../../rally.ts'
import { Link, navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Choice, Field, Form } from '../../ui/field.tsx'
import { EmptyCourt } from '../../ui/icons.tsx'
import { Empty, ErrorNotice } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { ROOM_KINDS, roomKinds } from './room-kinds.ts'

const PAGE = 20
/** How often the list of open rooms is read again while the page is visible. */
const REFRESH_MS = 10_000
/** Matches played one after another have a chat each: so many pages of rooms are read for one without them. */
const MAX_READS = 5

/** The rooms that are open, a form for a new one, and the rooms that the user was in. */
export function RoomsPage() {
  return (
    <Page title="Rooms">
      <div className="lobby">
        <div className="stack lobby-start">
          <CreateRoom />
          <JoinRoom />
        </div>
        <div className="stack lobby-lists">
          <OpenRooms />
          <PastRooms />
        </div>
      </div>
    </Page>
  )
}

function CreateRoom() {
  const rally = useRally()
  const [name, setName] = useState('')
  const [kind, setKind] = useState<RoomKind>('chat')
  const [visibility, setVisibility] = useState<Room['visibility']>('public')
  const create = useAction(async (call) => {
    const { id } = await rally.rooms.create({ name, kind, visibility }, call)
    navigate(paths.room(id))
  })
  return (
    <section className="card" aria-labelledby="create-room">
      <Form onSubmit={() => create.run()}>
        <h2 id="create-room">Open a room</h2>
        <Field
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={60}
          required
          data-testid="room-name"
        />
        <Choice
          legend="Kind"
          value={kind}
          onChange={setKind}
          hint={ROOM_KINDS[kind].about}
          options={roomKinds.map((value) => ({
            value,
            label: ROOM_KINDS[value].label,
            testId: `room-kind-${value}`,
          }))}
        />
        <Choice
          legend="Who can join"
          value={visibility}
          onChange={setVisibility}
          options={[
            { value: 'public', label: 'Anybody', testId: 'room-public' },
            { value: 'private', label: 'With the link or code', testId: 'room-private' },
          ]}
        />
        <Button type="submit" look="primary" wide busy={create.busy} data-testid="create-room">
          Open the room
        </Button>
        <ErrorNotice error={create.error} />
      </Form>
    </section>
  )
}

function JoinRoom() {
  const rally = useRally()
  return (
    <JoinByCode
      label="Code of the room"
      notFound="No room with that code is open."
      join={async (code, call) => paths.room((await rally.rooms.join({ code }, call)).id)}
      testIds={{ code: 'room-code', submit: 'join-room' }}
    />
  )
}

function OpenRooms() {
  const rally = useRally()
  const [kind, setKind] = useState<RoomKind | 'all'>('all')
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.rooms.list({ limit: PAGE, ...(cursor ? { cursor } : {}), ...(kind === 'all' ? {} : { kind }) }, { signal }),
    [rally, kind],
  )
  const { pages, action } = usePages(load)
  // Who reads further down keeps the pages that are there.
  const { run } = action
  const isFirstPage = (pages?.items.length ?? 0) <= PAGE
  useEffect(() => {
    if (!isFirstPage) return
    const look = () => {
      if (document.visibilityState === 'visible') run()
    }
    const timer = setInterval(look, REFRESH_MS)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [run, isFirstPage])
  return (
    <section aria-labelledby="open-rooms">
      <h2 id="open-rooms" className="list-head">
        Open rooms
      </h2>
      <div className="stack">
        <Choice
          legend="Show"
          value={kind}
          onChange={setKind}
          options={[
            { value: 'all', label: 'All' },
            ...roomKinds.map((value) => ({ value, label: ROOM_KINDS[value].label })),
          ]}
        />
        <PagedList pages={pages} action={action} loading="Looking for rooms…">
          {pages?.items.length === 0 && (
            <Empty art={<EmptyCourt />} title="No room is open">
              Open one that anybody can join: others see it here within ten seconds.
            </Empty>
          )}
          {pages && pages.items.length > 0 && (
            <ul className="list" data-testid="room-list">
              {pages.items.map((room) => (
                <OpenRoom key={room.id} room={room} />
              ))}
            </ul>
          )}
        </PagedList>
      </div>
    </section>
  )
}

function OpenRoom({ room }: { room: ListedRoom }) {
  return (
    <li className="list-item list-item-whole" data-room={room.id}>
      <span className="list-text">
        <Link className="list-item-link" href={paths.room(room.id)}>
          {room.name}
        </Link>
        <span className="small soft">
          {ROOM_KINDS[room.kind].label} · <TimeAgo at={room.createdAt} />
        </span>
      </span>
      <span className="tag numbers">
        {room.memberCount} of {room.capacity}
      </span>
    </li>
  )
}

function PastRooms() {
  const rally = useRally()
  const load = useCallback(
    async (cursor: string | undefined, { signal }: OwnCall) => {
      const items: PastRoom[] = []
      let nextCursor = cursor
      for (let reads = 0; reads < MAX_READS; reads++) {
        const page = await rally.rooms.history(
          { limit: PAGE, ...(nextCursor ? { cursor: nextCursor } : {}) },
          { signal },
        )
        // The chat of a match is found with its match.
        items.push(...page.items.filter(({ matchId }) => matchId === undefined))
        nextCursor = page.nextCursor
        if (nextCursor === undefined || items.length >= PAGE) break
      }
      return { items, nextCursor }
    },
    [rally],
  )
  const { pages, action } = usePages(load)
  if (pages?.items.length === 0 && pages.nextCursor === undefined) return null
  return (
    <section aria-labelledby="past-rooms">
      <h2 id="past-rooms" className="list-head">
        Where you were
      </h2>
      <div className="stack">
        <PagedList pages={pages} action={action} loading="Fetching your rooms…">
          <ul className="list" data-testid="room-history">
            {pages?.items.map((room) => (
              <PastRoomItem key={room.id} room={room} />
            ))}
          </ul>
        </PagedList>
      </div>
    </section>
  )
}

function PastRoomItem({ room }: { room: PastRoom }) {
  const { name, closedAt, participants } = room
  const href = closedAt === null ? paths.room(room.id) : null
  return (
    <li className={`list-item ${href ? 'list-item-whole' : ''}`}>
      <span className="list-text">
        {href ? (
          <Link className="list-item-link" href={href}>
            {name}
          </Link>
        ) : (
          <strong>{name}</strong>
        )}
        <span className="small soft">
          {ROOM_KINDS[room.kind].label} · {participants.map(({ displayName }) => displayName).join(', ')} ·{' '}
          <TimeAgo at={room.createdAt} />
        </span>
      </span>
      <span className="small soft numbers">{closedAt === null ? 'open' : `${duration(room.durationMs)} min`}</span>
    </li>
  )
}
