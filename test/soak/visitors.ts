import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { connectFour } from '../../src/games/connect-four/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { clientOf, createPong, person, playPong, type RallyClient, screen } from '../netcode/players.ts'
import { connect, within } from '../support/client.ts'
import { codeOf, type Player, redeem, register } from '../support/server.ts'

/** What the visitors of one soak have done. */
export class Visits {
  pong = 0
  connectFour = 0
  alone = 0
  cuts = 0
  streams = 0
  signIns = 0
  refusals = 0
}

const MATCH_MS = 60_000
const COLUMN_OF_SEAT = [0, 1]

/** A player at home: a client that opens a new socket whenever its own is cut. */
class AtHome implements Disposable {
  readonly client: RallyClient
  #socket: WebSocket | undefined

  constructor(url: string, player: Player) {
    this.client = clientOf(url, player, {
      createSocket: (address, protocol) => {
        this.#socket = new WebSocket(address, protocol, { headers: { cookie: player.cookie } })
        return this.#socket
      },
      backoff: { minMs: 20, maxMs: 200 },
    })
  }

  cut(): void {
    this.#socket?.terminate()
  }

  [Symbol.dispose](): void {
    this.client.close()
  }
}

/** Two players meet in the lobby and play Pong to one point; one is cut off meanwhile. */
export async function playPongTogether(url: string, players: readonly [Player, Player], visits: Visits): Promise<void> {
  using first = new AtHome(url, players[0])
  using second = new AtHome(url, players[1])
  const stopLobby = first.client.matches.onLobby({}, { next: () => undefined })
  const match = await createPong(first.client, second.client, 1)
  await Promise.all([
    playToEnd(url, first, match, 0, visits),
    playToEnd(url, second, match, 1, visits),
    cutLater(first, visits),
  ])
  stopLobby()
  visits.pong++
}

async function playToEnd(url: string, { client }: AtHome, match: Match, seat: 0 | 1, visits: Visits): Promise<void> {
  const play = playPong(client, match)
  const stopUpdates = client.matches.onUpdate({ matchId: match.id }, { next: () => undefined })
  visits.streams += 2
  const over = within(
    new Promise<void>((resolve) => void play.on('end', () => resolve())),
    'the end of a match',
    MATCH_MS,
  )
  const watching = seat === 0 ? watch(url, match, visits) : undefined
  const decide = person(seat, 4)
  await screen(over, (now) => {
    const state = play.frame(now)
    const input = state && decide(state, now)
    if (input) play.input(input)
  })
  stopUpdates()
  play.stop()
  await watching
}

async function cutLater(player: AtHome, visits: Visits): Promise<void> {
  await sleep(500 + 1_500 * Math.random())
  player.cut()
  visits.cuts++
}

/** Anonymous spectators, of which one leaves in order and one is cut off. */
async function watch(url: string, { id }: Match, visits: Visits): Promise<void> {
  for (const rate of [60, 5]) {
    await using spectator = await connect(url)
    const frames = await spectator.subscribe('live.onState', { matchId: id, rate })
    visits.streams++
    await frames.events.next(undefined, MATCH_MS)
    if (rate === 60) await spectator.call('rpc.unsubscribe', { channel: frames.channel })
  }
}

/** Two players play Connect Four; the first one drops four discs into one column. */
export async function playConnectFourTogether(
  url: string,
  players: readonly [Player, Player],
  visits: Visits,
): Promise<void> {
  using first = new AtHome(url, players[0])
  using second = new AtHome(url, players[1])
  const { code } = await first.client.matches.create({ game: 'connect-four', mode: 'casual', options: { first: 0 } })
  const match = await second.client.matches.join({ code })
  const plays = [first, second].map(({ client }) => client.play(match.id, connectFour))
  for (const play of plays) {
    const move = () => {
      const { status, state, seats } = play
      const [seat] = seats
      if (status === 'live' && state && seat === state.turn) play.input({ column: COLUMN_OF_SEAT[seat] ?? 0 })
    }
    play.on('status', move)
    play.on('confirmed', move)
  }
  const over = plays.map((play) => new Promise<void>((resolve) => void play.on('end', () => resolve())))
  await within(Promise.all(over), 'the end of a match', MATCH_MS)
  for (const play of plays) play.stop()
  visits.connectFour++
}

/** Somebody plays against the bot, is cut off for good or leaves. */
export async function playAlone(url: string, player: Player, leaves: boolean, visits: Visits): Promise<void> {
  await using client = await connect(url, { cookie: player.cookie })
  const { id } = await client.call<Match>('matches.create', { game: 'pong', mode: 'bot' })
  const updates = await client.subscribe<Match>('matches.onUpdate', { matchId: id })
  await updates.events.next(({ data }) => data.status === 'live', MATCH_MS)
  await client.subscribe('live.onState', { matchId: id, rate: 30 })
  visits.streams += 2
  visits.alone++
  if (leaves) {
    await client.call('matches.leave', { matchId: id })
    await updates.events.next(({ data }) => data.status !== 'live', MATCH_MS)
  } else visits.cuts++
}

/** A new player registers. */
export async function arrive(url: string, name: string, visits: Visits): Promise<Player> {
  const player = await register(url, name)
  visits.signIns++
  return player
}

/** A player signs in again, with a wrong code before the right one, looks at the own sessions and signs out. */
export async function signInAndOut(url: string, { username, secret }: Player, visits: Visits): Promise<void> {
  await using signingIn = await connect(url)
  await signingIn.call('auth.begin', { username })
  const wrong = await signingIn.request('auth.verify', { code: codeOf(secret, 100) })
  if (wrong.error === 'INVALID_CODE') visits.refusals++
  const { token } = await signingIn.call<{ token: string }>('auth.verify', { code: codeOf(secret) })
  await using client = await connect(url, { cookie: await redeem(url, token) })
  await client.subscribe('auth.onSession')
  await client.call('auth.sessions')
  await client.call('auth.logout')
  await within(client.closed, 'the end of a session')
  visits.signIns++
}

/** Somebody without an account looks around, sends what no server takes, and is gone. */
export async function disturb(url: string, visits: Visits): Promise<void> {
  await using client = await connect(url)
  await client.call('matches.list')
  await client.subscribe('matches.onLobby', { game: 'pong' })
  visits.streams++
  for (const frame of ['{', '[]', '{"type":"no.such","eid":"1","ts":0}', `"${'x'.repeat(3_000)}"`]) {
    client.send(frame)
    const { error } = await client.next(({ error }) => error !== undefined)
    if (error) visits.refusals++
  }
  const half = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`)
  half.on('error', () => undefined)
  await once(half, 'open')
  half.terminate()
  visits.cuts++
}
