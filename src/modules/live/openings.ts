import { z } from 'zod'
import type { MatchRunner, RunnerFrame } from '../../engine/index.ts'
import type { InputChange } from '../../games/simulate.ts'
import type { Opened } from '../../rpc/index.ts'
import { MatchId } from '../wire.ts'
import { inputsChannel, stateChannel, stateSeq } from './frame-publisher.ts'
import { type LiveMatch, SeatOf } from './live-matches.ts'
import type { StoredMatch } from './stored-match.ts'
import { type LiveChange, LiveFrame, LiveInputsSnapshot, StateRate } from './types.ts'

/** What a client wants to follow. */
export const Following = z.object({ matchId: MatchId, mode: z.enum(['state', 'inputs']), rate: StateRate })
export type Following = z.infer<typeof Following>

export type Opening = Opened<LiveFrame, LiveFrame | LiveInputsSnapshot>

/** What the node that runs a match answers to a node with a follower of the match. */
export const OpeningElsewhere = z.object({
  seq: z.number(),
  snapshot: z.union([LiveInputsSnapshot, LiveFrame]),
  isDelayed: z.boolean(),
  /** How far behind the match its spectators see it. */
  delayMs: z.number(),
  /** About the encoded length of a state. */
  stateBytes: z.number(),
  seats: z.array(SeatOf).readonly(),
})
export type OpeningElsewhere = z.infer<typeof OpeningElsewhere>

/** What is the same in all snapshots of a match. */
type MatchRules = Pick<MatchRunner, 'game' | 'seed' | 'options'> & { readonly rulesVersion?: number }

/** A match at a tick. Without `inputs` all seats are idle. */
type At = Pick<RunnerFrame, 'tick' | 'state'> & Partial<RunnerFrame>

/** The opening of a match that runs here, or whose end this user has not seen yet; else null. */
export function openRunning(
  match: LiveMatch | undefined,
  { mode, rate }: Following,
  userId: string | null,
): Opening | null {
  if (!match?.runner) return null
  const { runner, stream } = match
  const isDelayed = match.isDelayedFor(userId)
  const view = isDelayed ? match.view : null
  if (isDelayed ? !view : match.end) return null
  const publisher = match.publisherFor(userId)
  if (mode === 'inputs') {
    const snapshot = view
      ? snapshotOf(runner, view.frame, { status: view.status, stream, delayMs: view.delayMs })
      : snapshotOfRunner(runner, stream)
    return { channel: publisher.inputs, seq: publisher.seq, snapshot }
  }
  const status = view?.status ?? 'live'
  const { tick, state } = view?.frame ?? runner
  const snapshot = { tick, state, status } as const
  const channel = publisher.states(rate, snapshot)
  match.watchSteps()
  return { channel, seq: stateSeq(tick, status, runner.game.tickRate), snapshot }
}

/** What another node is told that has a follower of a match; null when the match does not run here. */
export function openForOther(
  match: LiveMatch | undefined,
  following: Following,
  userId: string | null,
): OpeningElsewhere | null {
  const opening = openRunning(match, following, userId)
  if (!match || !opening || !('snapshot' in opening)) return null
  const { seq, snapshot } = opening
  const { delayMs, seats } = match
  const { stateBytes } = match.publisherFor(userId)
  return { seq, snapshot, isDelayed: match.isDelayedFor(userId), delayMs, stateBytes, seats }
}

/** The opening of a match that runs on another node, from that node's answer. */
export function openElsewhere(match: LiveMatch, { matchId, mode, rate }: Following, told: OpeningElsewhere): Opening {
  const { seq, snapshot, isDelayed, stateBytes } = told
  if (mode === 'state') return { channel: stateChannel(matchId, rate, isDelayed, stateBytes), seq, snapshot }
  const { stream } = match
  return { channel: inputsChannel(matchId, isDelayed, stream), seq, snapshot: { ...snapshot, stream } }
}

/** The opening of a match that has not begun. */
export function openWaiting(
  match: LiveMatch,
  { mode, rate }: Following,
  rules: MatchRules,
  rewindTicks: number,
  userId: string | null,
): Opening {
  const { game, seed, options } = rules
  const publisher = match.publisherFor(userId)
  const at = { tick: 0, state: game.init({ seed, options }) }
  const status = 'waiting'
  if (mode === 'state') {
    const snapshot = { ...at, status } as const
    return { channel: publisher.states(rate, snapshot), seq: 0, snapshot }
  }
  const lateness = match.isDelayedFor(userId) ? { delayMs: match.delayMs } : { rewindTicks }
  const snapshot = snapshotOf(rules, at, { status, stream: match.stream, ...lateness })
  return { channel: publisher.inputs, seq: publisher.seq, snapshot }
}

/** The opening of a match that is over: nothing follows it. */
export function openEnded(
  { matchId, mode, rate }: Following,
  rules: MatchRules,
  { status, ticks, finalState }: StoredMatch,
): Opening {
  const { game, seed, options } = rules
  const at = { tick: ticks ?? 0, state: finalState ?? game.init({ seed, options }) }
  if (mode === 'state') {
    const seq = stateSeq(at.tick, status, game.tickRate)
    return { channel: stateChannel(matchId, rate, false), seq, snapshot: { ...at, status }, over: status }
  }
  const snapshot = snapshotOf(rules, at, { status, stream: null })
  return { channel: inputsChannel(matchId, false, 0), seq: 0, snapshot, over: status }
}

export function toLiveChange({ tick, seat, input }: InputChange): LiveChange {
  return [tick, seat, input]
}

function snapshotOfRunner(runner: MatchRunner, stream: number): LiveInputsSnapshot {
  const { finalFrame, log, rewindTicks, tick } = runner
  const changes = log.slice(log.findLastIndex((change) => change.tick < finalFrame.tick) + 1).map(toLiveChange)
  return snapshotOf(runner, finalFrame, { status: 'live', stream, changes, now: tick, rewindTicks })
}

/** The snapshot of a match at a tick, without changes after it and without a delay, unless `rest` has them. */
function snapshotOf(
  { game, seed, options, rulesVersion = game.version }: MatchRules,
  { tick, state, inputs = new Array<unknown>(game.seats).fill(game.idle) }: At,
  rest: Pick<LiveInputsSnapshot, 'status' | 'stream'> & Partial<LiveInputsSnapshot>,
): LiveInputsSnapshot {
  return {
    tick,
    // A copy: the runner changes its own.
    state: game.clone(state),
    inputs: [...inputs],
    changes: [],
    now: tick,
    game: game.name,
    rulesVersion,
    seed,
    options,
    tickRate: game.tickRate,
    rewindTicks: 0,
    delayMs: 0,
    ...rest,
  }
}
