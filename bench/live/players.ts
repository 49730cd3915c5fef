import { decodeLiveFrame, encodeInput } from '../../src/protocol/live-frames.ts'
import { clientFrame, RawClient } from '../support/raw-client.ts'

export type Mode = 'inputs' | 'state'

const TEXT = 1
const FINISHED = '"status":"finished"'
const TICK_MS = 1000 / 60
/** A person changes direction about this often. */
const CHANGES_PER_SECOND = 4
/** As fine as timers are: people do not move at the same moment. */
const WHEEL_MS = 1
const SLOTS = 1000 / CHANGES_PER_SECOND / WHEEL_MS
/** Handshakes under way at once. */
const CONNECTING = 50

interface Player {
  readonly client: RawClient
  readonly matchId: string
  readonly seat: number
  stream: number
  /** When tick 0 was, by this process' clock; 0 while nothing is to be played. */
  startedAt: number
  move: number
}

/** People, as far as the server can tell: each holds a socket, follows its match and changes its input now and then. */
export class Players {
  readonly #port: number
  readonly #mode: Mode
  readonly #slots: Player[][] = Array.from({ length: SLOTS }, () => [])
  readonly #timer: NodeJS.Timeout
  #slot = 0
  #lastAt = performance.now()
  count = 0
  started = 0
  inputs = 0
  /** How late the latest input was sent, ms: a burst of this process' making, not of people's. */
  latestMs = 0
  frames = 0

  constructor(port: number, mode: Mode) {
    this.#port = port
    this.#mode = mode
    this.#timer = setInterval(() => this.#turn(), WHEEL_MS)
  }

  get bytes(): number {
    return this.#slots.flat().reduce((sum, { client }) => sum + client.bytesRead, 0)
  }

  async join(players: readonly { matchId: string; cookie: string }[]): Promise<void> {
    for (let done = 0; done < players.length; done += CONNECTING) {
      const batch = players.slice(done, done + CONNECTING)
      await Promise.all(batch.map(({ matchId, cookie }, index) => this.#connect(matchId, (done + index) % 2, cookie)))
    }
  }

  leave(): void {
    clearInterval(this.#timer)
    for (const { client } of this.#slots.flat()) client.close()
  }

  async #connect(matchId: string, seat: number, cookie: string): Promise<void> {
    let player: Player | undefined
    let earlier: Buffer[] = []
    const read = (opcode: number, payload: Buffer) => {
      if (player) this.#read(player, opcode, payload)
      else if (opcode === TEXT) earlier.push(Buffer.from(payload))
    }
    const client = await RawClient.open(
      this.#port,
      (count) => {
        this.frames += count
      },
      { Cookie: cookie },
      read,
    )
    player = { client, matchId, seat, stream: -1, startedAt: 0, move: 1 }
    earlier = []
    this.#slots[this.count++ % SLOTS]?.push(player)
    const data = this.#mode === 'inputs' ? { matchId, mode: 'inputs' } : { matchId, mode: 'state', rate: 60 }
    client.write(clientFrame(JSON.stringify({ type: 'live.onState', eid: 's', ts: Date.now(), data })))
  }

  /** Looks for the beginning and the end of the match; what comes between is only counted. */
  #read(player: Player, opcode: number, payload: Buffer): void {
    if (opcode === TEXT) {
      const message = JSON.parse(payload.toString())
      if (message.eid === 's') {
        if (message.error) throw new Error(JSON.stringify(message))
        player.stream = message.data.snapshot.stream ?? 0
      } else if (this.#mode === 'state' && message.type === 'live.onState') {
        this.#begin(player, message.data.tick)
        // These frames come often and are long: not to be parsed.
        player.client.onFrame = (_, frame) => {
          if (frame.includes(FINISHED)) player.startedAt = 0
        }
      }
      return
    }
    const frame = decodeLiveFrame(payload)
    if (frame?.kind === 'keyframe' && player.startedAt === 0) this.#begin(player, frame.tick)
    else if (frame?.kind === 'end') player.startedAt = 0
  }

  #begin(player: Player, tick: number): void {
    player.startedAt = performance.now() - tick * TICK_MS
    this.started++
  }

  /** Lets the players of as many slots move as time has passed for. */
  #turn(): void {
    const now = performance.now()
    this.latestMs = Math.max(this.latestMs, now - this.#lastAt - WHEEL_MS)
    for (; this.#lastAt + WHEEL_MS <= now; this.#lastAt += WHEEL_MS) {
      for (const player of this.#slots[this.#slot++ % SLOTS] ?? []) if (player.startedAt > 0) this.#move(player, now)
    }
  }

  #move(player: Player, now: number): void {
    player.move = (player.move + 1 + Math.floor(Math.random() * 2)) % 3
    this.inputs++
    const { client, matchId, seat, stream, move } = player
    if (this.#mode === 'inputs') {
      const tick = Math.floor((now - player.startedAt) / TICK_MS)
      client.write(clientFrame(encodeInput(stream, tick, seat, move)))
      return
    }
    const data = { matchId, input: { move: move - 1 } }
    client.write(clientFrame(JSON.stringify({ type: 'live.input', eid: 'i', ts: Date.now(), data })))
  }
}
