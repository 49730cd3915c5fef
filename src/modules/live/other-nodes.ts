import { z } from 'zod'
import { eidOfInput } from '../../protocol/live-frames.ts'
import { answerError, type Connection, errorData, RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { MatchId, UserId } from '../wire.ts'
import { type LiveMatches, SeatOf } from './live-matches.ts'
import { Following, OpeningElsewhere, openForOther } from './openings.ts'
import { type SeatHolders, socketOf } from './seat-holders.ts'
import { LiveInput } from './types.ts'

// Calls between nodes, and the topic that all nodes listen to.
const OPEN = 'live.open'
const INPUT = 'live.input'
const FRAME = 'live.frame'
const REFUSED = 'live.refused'
const CLOSED = 'live.closed'
const ANNOUNCED = 'live.announced'

/** How long another node may take to answer. */
const ANSWER_MS = 2_000
const LINE_END = 0x0a

/** What a node announces of a match to all others. */
const Announcement = z.object({
  node: z.string(),
  matchId: MatchId,
  /** `waiting`: other users have its seats now. `live`: it runs on `node`. `over`: it runs no more, wherever it did. */
  status: z.enum(['waiting', 'live', 'over']),
  seats: z.array(SeatOf),
})
export type Announcement = z.infer<typeof Announcement>

const ForwardedOpening = z.object({ following: Following, userId: UserId.nullable() })
const ForwardedInput = z.object({ socket: z.string().nullable(), userId: UserId, input: LiveInput })
const Refusal = z.object({
  connectionId: z.string(),
  eid: z.string(),
  code: z.string(),
  data: z.object({
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    retryAfterMs: z.number().optional(),
  }),
})

/** What other nodes ask this node for, or change here. `input` and `frame` throw RpcError as `LiveService.input` does. */
interface LiveHere {
  readonly matches: LiveMatches
  readonly holders: SeatHolders
  input(userId: string, socket: string | null, input: LiveInput): void
  frame(userId: string, socket: string, matchId: string, frame: Uint8Array): void
  announced(announcement: Announcement): void
}

/** Asks the owner of a match, the node that runs it, for openings, and forwards inputs and the ends of sockets to it. */
export class OtherNodes {
  readonly #platform: Platform
  /** Sockets of this node that have sent inputs to matches on other nodes, by id. Owners that only seem gone stay. */
  readonly #forwarding = new Map<string, { readonly connection: Connection; readonly owners: Set<string> }>()

  constructor(platform: Platform, here: LiveHere) {
    const { nodes, bus, connections, node: self } = platform
    this.#platform = platform
    nodes.answer(OPEN, async (data) => {
      const { following, userId } = ForwardedOpening.parse(data)
      return openForOther(here.matches.get(following.matchId), following, userId)
    })
    nodes.answer(INPUT, async (data, from) => {
      const { userId, socket, input } = ForwardedInput.parse(data)
      here.input(userId, socket === null ? null : socketOf(from, socket), input)
      return {}
    })
    nodes.listen(FRAME, (data, from) => {
      if (!(data instanceof Uint8Array)) return
      const end = data.indexOf(LINE_END)
      const [matchId = '', userId = '', connectionId = ''] = Buffer.from(data.subarray(0, end)).toString().split(' ')
      const frame = data.subarray(end + 1)
      try {
        here.frame(userId, socketOf(from, connectionId), matchId, frame)
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        const { code } = error
        nodes.tell(from, REFUSED, { connectionId, eid: eidOfInput(frame), code, data: errorData(error) })
      }
    })
    nodes.listen(REFUSED, (data) => {
      const { connectionId, eid, code, data: details } = Refusal.parse(data)
      const connection = this.#forwarding.get(connectionId)?.connection
      if (connection) answerError(connection, { type: 'live.input', eid }, new RpcError(code, details.message, details))
    })
    nodes.listen(CLOSED, (data, from) => here.holders.release(socketOf(from, z.string().parse(data))))
    nodes.onGone((node) => {
      here.holders.releaseNode(node)
      here.matches.forgetOwners(node)
    })
    connections.onClose(({ id }) => {
      for (const owner of this.#forwarding.get(id)?.owners ?? []) nodes.tell(owner, CLOSED, id)
      this.#forwarding.delete(id)
    })
    bus.subscribe(
      ANNOUNCED,
      ({ payload }) => {
        const announcement = Announcement.parse(JSON.parse(String(payload)))
        if (announcement.node !== self) here.announced(announcement)
      },
      () => {
        // One of them may have said that a socket was closed.
        here.holders.releaseNode()
        here.matches.forgetOwners()
      },
    )
  }

  announce(matchId: string, status: Announcement['status'], seats: readonly SeatOf[]): void {
    const { bus, node } = this.#platform
    if (bus.nodes().length === 0) return
    bus.publish(ANNOUNCED, { seq: 0, payload: JSON.stringify({ node, matchId, status, seats }) })
  }

  /** Null when the match does not run there. @throws NodeCallError */
  async open(owner: string, following: Following, userId: string | null): Promise<OpeningElsewhere | null> {
    const answer = await this.#platform.nodes.ask(owner, OPEN, { following, userId }, ANSWER_MS)
    return OpeningElsewhere.nullable().parse(answer)
  }

  /** Sends an input to the owner. @throws NodeCallError with the owner's code */
  async input(owner: string, userId: string, connection: Connection | null, input: LiveInput): Promise<void> {
    if (connection && !this.#forwardsTo(owner, connection)) return
    await this.#platform.nodes.ask(owner, INPUT, { userId, socket: connection?.id ?? null, input }, ANSWER_MS)
  }

  /** Sends a binary frame to the owner. A refusal comes back to the socket. */
  frame(owner: string, userId: string, connection: Connection, matchId: string, frame: Uint8Array): void {
    if (!this.#forwardsTo(owner, connection)) return
    const head = Buffer.from(`${matchId} ${userId} ${connection.id}\n`)
    this.#platform.nodes.tell(owner, FRAME, Buffer.concat([head, frame]))
  }

  /** Notes that the owner must be told when this socket ends; false if it has ended already. */
  #forwardsTo(owner: string, connection: Connection): boolean {
    if (connection.closed) return false
    const known = this.#forwarding.get(connection.id)
    if (known) known.owners.add(owner)
    else this.#forwarding.set(connection.id, { connection, owners: new Set([owner]) })
    return true
  }
}
