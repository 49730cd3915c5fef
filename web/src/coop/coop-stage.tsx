import { useEffect, useMemo } from 'react'
import type { Room } from '../../../src/modules/rooms/types.ts'
import { useRally, useUser } from '../rally.ts'
import { useRoomLog } from '../rooms/use-room-log.ts'
import { useSound } from '../sound/sound.ts'
import { CoopField, PLAYER_COLORS } from './coop-field.tsx'
import { CoopGame } from './coop-game.ts'
import { COINS_A_WAVE, WAVES } from './field.ts'

/** A small game for the members of a room: they move on one field and collect its coins together. */
export function CoopStage({ room }: { room: Room }) {
  const rally = useRally()
  const sound = useSound()
  const userId = useUser()?.id
  const roomId = room.id
  const { claims } = useRoomLog(roomId)
  const game = useMemo(
    () => (userId === undefined ? null : new CoopGame(rally, sound, { roomId, userId })),
    [rally, sound, roomId, userId],
  )
  useEffect(() => game?.follow(), [game])
  useEffect(() => {
    game?.setRoom(
      room.members.map((member) => member.userId),
      claims,
    )
  }, [game, room, claims])
  if (!game || userId === undefined) return null
  const counts = new Map<string, number>()
  for (const owner of claims.values()) if (owner !== null) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return (
    <section className="stack coop" aria-label="Coop game">
      <CoopField game={game} userId={userId} members={room.members} />
      <p className="small soft">
        Move with <kbd>W</kbd> <kbd>A</kbd> <kbd>S</kbd> <kbd>D</kbd> or the arrow keys, or press on the field.{' '}
        <span className="numbers" data-testid="coop-total">
          {claims.size} of {COINS_A_WAVE * WAVES} coins collected.
        </span>
      </p>
      <ul className="row" aria-label="Coins">
        {room.members.map((member, index) => (
          <li key={member.userId} className="tag" data-player={index % PLAYER_COLORS}>
            <span className="dot" aria-hidden="true" />
            {member.displayName}
            <strong className="numbers" data-testid="coop-coins" data-user={member.userId}>
              {counts.get(member.userId) ?? 0}
            </strong>
          </li>
        ))}
      </ul>
    </section>
  )
}
