import { WebSocket } from 'ws'
import { type Rally as Client, type ClientOptions, createClient } from '../../src/client/index.ts'
import { type Play, type PlayOptions, play } from '../../src/client/play/index.ts'
import { type PongInput, type PongState, pong } from '../../src/games/pong/index.ts'
import type { Api } from '../../src/modules/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { within } from '../support/client.ts'
import { matchTimes } from '../support/rally-test.ts'
import type { Player } from '../support/server.ts'

export type RallyClient = Client<Api>
export type PongPlay = Play<PongState, PongInput>

/** Matches that begin soon and whose players may be away for long. */
export const patient = { matches: matchTimes({ comeBackMs: 60_000, emptyMs: 120_000, maxActive: 10_000 }) }

/** The client of a player, as in a browser where they are signed in. */
export function clientOf(url: string, player: Player, options: ClientOptions = {}): RallyClient {
  return createClient<Api>({
    url,
    play,
    createSocket: (address, protocol) => new WebSocket(address, protocol, { headers: { cookie: player.cookie } }),
    ...options,
  })
}

/** A match of two, with both seated. */
export async function createPong(first: RallyClient, second: RallyClient, pointsToWin: number): Promise<Match> {
  const { code } = await first.matches.create({ game: 'pong', mode: 'casual', options: { pointsToWin } })
  return second.matches.join({ code })
}

export function playPong(client: RallyClient, match: Match, options: PlayOptions<PongState> = {}): PongPlay {
  return client.play(match.id, pong, options)
}

/** Resolves with the next value of an event for which `holds`. */
export function next<Name extends 'status' | 'end' | 'confirmed'>(
  of: PongPlay,
  name: Name,
  deadlineMs = 10_000,
): Promise<Parameters<Parameters<typeof of.on<Name>>[1]>[0]> {
  let stop = () => {}
  const event = new Promise<Parameters<Parameters<typeof of.on<Name>>[1]>[0]>((resolve) => {
    stop = of.on(name, resolve)
  })
  return within(event, name, deadlineMs).finally(() => stop())
}

export async function untilStatus(of: PongPlay, status: string, deadlineMs = 10_000): Promise<void> {
  while (of.status !== status) await next(of, 'status', deadlineMs)
}

/** Calls `frame` sixty times a second, as a screen does, until it answers false or `until` settles. */
export async function screen(until: Promise<unknown>, frame: (now: number) => void): Promise<void> {
  let isOver = false
  const done = until.finally(() => {
    isOver = true
  })
  while (!isOver) {
    frame(performance.now())
    await new Promise((resolve) => setTimeout(resolve, 16))
  }
  await done
}

/**
 * A person at the keys: looks at what is drawn about `perSecond` times a second and goes where the ball is going to be,
 * more or less. Answers what to press now; null for nothing new.
 */
export function person(seat: 0 | 1, perSecond: number, random: () => number = Math.random) {
  let looksAt = 0
  let held: PongInput['move'] = 0
  return (state: PongState, now: number): PongInput | null => {
    if (now < looksAt) return null
    looksAt = now + ((0.6 + 0.8 * random()) * 1000) / perSecond
    const paddle = seat === 0 ? state.paddle0 : state.paddle1
    const away = state.ballY + (random() - 0.5) * 160 - paddle
    // A person who changes direction each time is the most that the wire and the others have to bear.
    const moves = ([-1, 0, 1] as const).filter((move) => move !== held)
    const wanted = Math.abs(away) < 30 ? 0 : away < 0 ? -1 : 1
    const move = moves.find((one) => one === wanted) ?? moves[Math.floor(random() * moves.length)] ?? 0
    held = move
    return { move }
  }
}
