import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { ChatMessage } from '../../../src/modules/rooms/types.ts'
import { useAction } from '../hooks/use-action.ts'
import { useRally, useUser } from '../rally.ts'
import { Button, TextButton } from '../ui/button.tsx'
import { ErrorNotice, Loading, Notice } from '../ui/notice.tsx'
import { TimeAgo } from '../ui/time-ago.tsx'
import { UserLink } from '../ui/user-link.tsx'
import { useMembership } from './use-membership.ts'
import { useRoomLog } from './use-room-log.ts'

/** Within so many pixels of its end a list counts as read to the end, and follows new messages. */
const NEAR_PX = 48

/** What the members of a room write, and a field to write. The user has to be in the room. */
export function ChatPanel({ roomId }: { roomId: string }) {
  const { chat, room, error } = useRoomLog(roomId)
  const heading = useId()
  return (
    <section className="card chat" aria-labelledby={heading} data-testid="chat">
      <h2 id={heading}>Chat</h2>
      {!room && !error && <Loading>Fetching the chat…</Loading>}
      <ErrorNotice error={error} />
      {room && <Messages chat={chat} />}
      {room && <WriteMessage roomId={roomId} />}
    </section>
  )
}

/** The chat of a match, which its players and those who watch it join while this is shown. */
export function MatchChat({ matchId }: { matchId: string }) {
  const key = useMemo(() => ({ matchId }), [matchId])
  const { roomId, error, rejoin } = useMembership(key)
  const { ended } = useRoomLog(roomId)
  const heading = useId()
  if (roomId !== null && ended === null) return <ChatPanel roomId={roomId} />
  return (
    <section className="card chat" aria-labelledby={heading} data-testid="chat">
      <h2 id={heading}>Chat</h2>
      {ended !== null && (
        <Notice>
          You left this chat. <TextButton onClick={rejoin}>Come back</TextButton>
        </Notice>
      )}
      {ended === null && error === null && <Loading>Fetching the chat…</Loading>}
      <ErrorNotice error={error} words={WORDS} />
    </section>
  )
}

const WORDS = {
  FORBIDDEN: 'You see this match later than its players, so its chat opens for you when you have seen its end.',
  ROOM_FULL: 'This chat is full.',
}

function Messages({ chat }: { chat: readonly ChatMessage[] }) {
  const user = useUser()
  const list = useRef<HTMLUListElement>(null)
  const follows = useRef(true)
  const newest = chat.at(-1)?.seq
  useEffect(() => {
    const element = list.current
    if (!element) return
    const look = () => {
      follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX
    }
    element.addEventListener('scroll', look, { passive: true })
    return () => element.removeEventListener('scroll', look)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls when there is a new message
  useLayoutEffect(() => {
    if (list.current && follows.current) list.current.scrollTop = list.current.scrollHeight
  }, [newest])
  return (
    // A screen reader reads new messages out.
    <ul ref={list} className="chat-messages" role="log" aria-label="Messages" data-testid="chat-messages">
      {chat.length === 0 && <li className="small soft">Nobody has written yet.</li>}
      {chat.map(({ seq, userId, username, displayName, text, at }) => (
        <li key={seq} className="chat-message" data-mine={userId === user?.id || undefined} data-seq={seq}>
          <span className="small soft">
            <UserLink username={username} displayName={displayName} /> · <TimeAgo at={at} />
          </span>
          <span className="chat-text">{text}</span>
        </li>
      ))}
    </ul>
  )
}

function WriteMessage({ roomId }: { roomId: string }) {
  const rally = useRally()
  const [text, setText] = useState('')
  const field = useId()
  const write = useAction(async (call) => {
    await rally.rooms.chat({ roomId, text }, call)
    setText('')
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== '') write.run()
      }}
    >
      <label className="hidden-visually" htmlFor={field}>
        Message
      </label>
      <div className="input-row">
        <input
          id={field}
          className="input"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Write a message"
          autoComplete="off"
          maxLength={500}
          data-testid="chat-input"
        />
        <Button type="submit" busy={write.busy} data-testid="chat-send">
          Send
        </Button>
      </div>
      <ErrorNotice error={write.error} />
    </form>
  )
}
