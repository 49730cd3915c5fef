import { z } from 'zod'
import type { MatchRunner, RunnerFrame } from '../../engine/index.ts'
import type { AnyGame } from '../../games/game.ts'
import type { InputChange } from '../../games/simulate.ts'
import type { Opened } from '../../rpc/index.ts'
import { MatchId } from '../wire.ts'
import type { DelayedView } from './delayed-view.ts'
import { inputsChannel, stateChannel, stateSeq } from './frame-publisher.ts'
import type { LiveMatch } from './live-matches.ts'
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
  seats: z.array(z.object({ seat: z.number(), userId: z.string().nullable() })).readonly(),
})
export type OpeningElsewhere = z.infer<typeof OpeningElsewhere>

/** What is the same in all snapshots of a match. */
export interface MatchRules {
  readonly game: AnyGame
  readonly seed: number
  readonly options: unknown
  readonly rulesVersion: number
}

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
    const snapshot = view ? snapshotOfView(runner, view, stream) : snapshotOfRunner(runner, stream)
    return { channel: publisher.inputs, seq: publisher.seq, snapshot }
  }
  const status = view?.status ?? 'live'
  const { tick, state } = view?.frame ?? runner
  const snapshot = { tick, state, status } as const
  const channel = publisher.states(rate, snapshot)
  match.watchSteps()
  return { channel, seq: stateSeq(tick, status, runner.game.tickRate), snapshot }
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
  const lateness = match.isDelayedFor(userId) ? { rewindTicks: 0, delayMs: match.delayMs } : { rewindTicks, delayMs: 0 }
  const snapshot = snapshotAtRest(rules, at, { status, stream: match.stream, ...lateness })
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
  const snapshot = snapshotAtRest(rules, at, { status, stream: null, rewindTicks: 0, delayMs: 0 })
  return { channel: inputsChannel(matchId, false, 0), seq: 0, snapshot, over: status }
}

export function toLiveChange({ tick, seat, input }: InputChange): LiveChange {
  return [tick, seat, input]
}

function snapshotOfRunner(runner: MatchRunner, stream: number): LiveInputsSnapshot {
  const { finalFrame, log, rewindTicks, tick } = runner
  const from = log.findLastIndex((change) => change.tick < finalFrame.tick) + 1
  return {
    ...snapshotOf(rulesOf(runner), finalFrame),
    status: 'live',
    changes: log.slice(from).map(toLiveChange),
    now: tick,
    stream,
    rewindTicks,
  }
}

function snapshotOfView(runner: MatchRunner, view: DelayedView, stream: number): LiveInputsSnapshot {
  return { ...snapshotOf(rulesOf(runner), view.frame), status: view.status, stream, delayMs: view.delayMs }
}

/** The snapshot of a match before its start or after its end. */
function snapshotAtRest(
  rules: MatchRules,
  at: Pick<RunnerFrame, 'tick' | 'state'>,
  rest: Pick<LiveInputsSnapshot, 'status' | 'stream' | 'rewindTicks' | 'delayMs'>,
): LiveInputsSnapshot {
  const inputs = Array.from({ length: rules.game.seats }, () => rules.game.idle)
  return { ...snapshotOf(rules, { ...at, inputs }), ...rest }
}

function rulesOf({ game, seed, options }: MatchRunner): MatchRules {
  return { game, seed, options, rulesVersion: game.version }
}

function snapshotOf({ game, seed, options, rulesVersion }: MatchRules, { tick, state, inputs }: RunnerFrame) {
  return {
    tick,
    // A copy: the runner changes its own.
    state: game.clone(state),
    inputs: [...inputs],
    changes: [] as LiveChange[],
    now: tick,
    game: game.name,
    rulesVersion,
    seed,
    options,
    tickRate: game.tickRate,
    rewindTicks: 0,
    delayMs: 0,
  }
}
