import type { RunnerFrame } from '../../engine/index.ts'
import type { AnyGame } from '../../games/game.ts'
import { hashState } from '../../games/hash.ts'
import { indexOfInput } from '../../games/simulate.ts'
import {
  encodeChange,
  encodeEnd,
  encodeJsonChange,
  encodeKeyframe,
  type LiveEndStatus,
  withStream,
} from '../../protocol/live-frames.ts'
import { type Channel, channel, type Hub } from '../../rpc/index.ts'
import { type LiveFrame, StateRate } from './types.ts'

const TYPE = 'live.onState'

/** Bytes a second of one stream of states: larger states are sent less often. */
const MAX_STATE_BYTES = 256 * 1024

/** The channel of the states of a match, `rate` frames a second of about `frameBytes` each. A socket follows one rate. */
export function stateChannel(matchId: string, rate: number, isDelayed: boolean, frameBytes = 0): Channel<LiveFrame> {
  const bytes = Math.min(rate * frameBytes, MAX_STATE_BYTES)
  return channel(TYPE, `${matchId}/state/${rate}${isDelayed ? '/delayed' : ''}`, {
    oneOf: `${matchId}/state`,
    cost: { frames: rate, bytes },
  })
}

/**
 * The channel of the inputs of a match, in binary frames that build on one another. Each node numbers the streams of its
 * own sockets, so that headers are short. A frame of another node gets `stream`, the number on this node.
 */
export function inputsChannel(matchId: string, isDelayed: boolean, stream: number): Channel<LiveFrame> {
  return channel(TYPE, `${matchId}/inputs${isDelayed ? '/delayed' : ''}`, {
    incremental: true,
    localize: (frame) => withStream(frame, stream),
  })
}

/** The match whose frames a channel carries; null for any other channel. */
export function matchOf({ type, name }: Channel<unknown>): string | null {
  return type === TYPE ? (name.split('/')[1] ?? null) : null
}

type At = Pick<RunnerFrame, 'tick' | 'state'>

/**
 * The `seq` of a state frame is its tick. The last frame has one more, as it follows the frame of the same tick. In a
 * game of turns every frame has one more, as the first one says that the match begins.
 */
export function stateSeq(tick: number, status: LiveFrame['status'], tickRate: number): number {
  if (status === 'waiting') return 0
  return tick + (tickRate === 0 ? 1 : 0) + (status === 'live' ? 0 : 1)
}

/** The stream of states at one rate. After a long frame, the next one waits for the tick `notBefore`. */
interface States {
  readonly channel: Channel<LiveFrame>
  notBefore: number
}

/** Encodes what is followed of a match, on all nodes: for those who see it as it is, or for those who see it later. */
export class FramePublisher {
  readonly inputs: Channel<LiveFrame>
  readonly #hub: Hub
  readonly #matchId: string
  readonly #stream: number
  readonly #isDelayed: boolean
  readonly #rates = new Map<StateRate, States>()
  /** The `seq` of the last binary frame. */
  seq = 0
  /** The encoded length of the last state; 0 before the first. */
  stateBytes = 0

  constructor(hub: Hub, matchId: string, stream: number, isDelayed: boolean) {
    this.#hub = hub
    this.#matchId = matchId
    this.#stream = stream
    this.#isDelayed = isDelayed
    this.inputs = inputsChannel(matchId, isDelayed, stream)
  }

  get wantsStates(): boolean {
    return this.#rates.size > 0
  }

  /** Whether anybody on any node follows the match. */
  get isFollowed(): boolean {
    return this.#hub.isFollowed(this.inputs) || this.#followedRates().length > 0
  }

  /** The channel of this rate, which gets frames from now on. They are about as long as `frame`. */
  states(rate: StateRate, frame: LiveFrame): Channel<LiveFrame> {
    const known = this.#rates.get(rate)
    if (known) return known.channel
    this.stateBytes ||= JSON.stringify(frame).length
    const channel = stateChannel(this.#matchId, rate, this.#isDelayed, this.stateBytes)
    this.#rates.set(rate, { channel, notBefore: 0 })
    return channel
  }

  change(game: AnyGame, tick: number, seat: number, input: unknown, moved = 0): void {
    if (!this.#hub.isFollowed(this.inputs)) return
    const index = indexOfInput(game, input)
    if (index >= 0) this.#publish(tick, encodeChange(this.#stream, tick, seat, index, moved))
    else this.#publish(tick, encodeJsonChange(this.#stream, tick, seat, input, moved))
  }

  keyframe({ tick, state }: At): void {
    if (this.#hub.isFollowed(this.inputs)) this.#publish(tick, encodeKeyframe(this.#stream, tick, hashState(state)))
  }

  /** Sends the state after a step to the rates that have a frame at this tick. */
  step(at: At, tickRate: number): void {
    this.#tellStates(at, 'live', tickRate, (rate, { notBefore }) => {
      return tickRate === 0 || (at.tick >= notBefore && isDue(at.tick, rate, tickRate))
    })
  }

  /** Sends the first frames. In a game with a clock the first step sends the first state. */
  start(at: At, tickRate: number): void {
    // Followers on other nodes opened their streams there, before the match began.
    for (const rate of this.#followedRates()) this.states(rate, { ...at, status: 'live' })
    this.keyframe(at)
    if (tickRate === 0) this.#tellStates(at, 'live', tickRate)
  }

  /** Sends the last frames, and ends all streams. */
  end(at: At, status: LiveEndStatus, tickRate: number): void {
    this.keyframe(at)
    if (this.#hub.isFollowed(this.inputs)) this.#publish(at.tick, encodeEnd(this.#stream, at.tick, status))
    this.#tellStates(at, status, tickRate)
    this.close(status)
  }

  /** Ends all streams. The reason tells followers whether to open them again. */
  close(reason: string): void {
    this.#hub.end(this.inputs, reason)
    for (const rate of this.#followedRates()) this.#hub.end(stateChannel(this.#matchId, rate, this.#isDelayed), reason)
    this.#rates.clear()
  }

  #followedRates(): StateRate[] {
    return [...StateRate.values].filter((rate) => {
      return this.#hub.isFollowed(stateChannel(this.#matchId, rate, this.#isDelayed))
    })
  }

  #publish(tick: number, frame: Uint8Array): void {
    this.seq = Math.max(this.seq + 1, tick)
    this.#hub.publishFrame(this.inputs, this.seq, frame)
  }

  /** Encodes a state once, and sends it to the rates that are `isWanted`. */
  #tellStates(
    { tick, state }: At,
    status: LiveFrame['status'],
    tickRate: number,
    isWanted: (rate: StateRate, states: States) => boolean = () => true,
  ): void {
    const frame = { tick, state, status }
    let json: string | undefined
    for (const [rate, states] of this.#rates) {
      if (!isWanted(rate, states)) continue
      if (!this.#hub.isFollowed(states.channel)) {
        this.#rates.delete(rate)
        continue
      }
      if (json === undefined) {
        json = JSON.stringify(frame)
        this.stateBytes = Buffer.byteLength(json)
      }
      states.notBefore = tick + (this.stateBytes * tickRate) / MAX_STATE_BYTES
      this.#hub.publish(states.channel, stateSeq(tick, status, tickRate), frame, json)
    }
  }
}

/** Whether this tick has a frame, if `rate` frames a second are spread evenly over the ticks. */
function isDue(tick: number, rate: number, tickRate: number): boolean {
  return Math.floor((tick * rate) / tickRate) !== Math.floor(((tick - 1) * rate) / tickRate)
}
