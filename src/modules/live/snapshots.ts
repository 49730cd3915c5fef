import type { MatchRunner, RunnerFrame } from '../../engine/index.ts'
import type { AnyGame } from '../../games/game.ts'
import type { InputChange } from '../../games/simulate.ts'
import type { DelayedView } from './delayed-view.ts'
import type { LiveChange, LiveInputsSnapshot } from './types.ts'

/** What stays the same from the first snapshot of a match to its last. */
export interface MatchRules {
  readonly game: AnyGame
  readonly seed: number
  readonly options: unknown
  readonly rulesVersion: number
}

/** A match that runs, for those who see it as it is. */
export function snapshotOfRunner(runner: MatchRunner, stream: number): LiveInputsSnapshot {
  const { finalFrame, log, rewindTicks, tick } = runner
  let from = log.length
  while (from > 0 && (log[from - 1]?.tick ?? 0) >= finalFrame.tick) from--
  return {
    ...snapshot(rulesOf(runner), finalFrame),
    status: 'live',
    changes: log.slice(from).map(toLiveChange),
    now: tick,
    stream,
    rewindTicks,
  }
}

/** A match that runs, or has just ended, for those who see it later. */
export function snapshotOfView(runner: MatchRunner, view: DelayedView, stream: number): LiveInputsSnapshot {
  return { ...snapshot(rulesOf(runner), view.frame), status: view.status, stream, delayMs: view.delayMs }
}

/** A match before its beginning or after its end. */
export function snapshotAtRest(
  rules: MatchRules,
  at: Pick<RunnerFrame, 'tick' | 'state'>,
  rest: Pick<LiveInputsSnapshot, 'status' | 'stream' | 'rewindTicks' | 'delayMs'>,
): LiveInputsSnapshot {
  const inputs = Array.from({ length: rules.game.seats }, () => rules.game.idle)
  return { ...snapshot(rules, { ...at, inputs }), ...rest }
}

export function toLiveChange({ tick, seat, input }: InputChange): LiveChange {
  return [tick, seat, input]
}

function rulesOf({ game, seed, options }: MatchRunner): MatchRules {
  return { game, seed, options, rulesVersion: game.version }
}

function snapshot({ game, seed, options, rulesVersion }: MatchRules, { tick, state, inputs }: RunnerFrame) {
  return {
    tick,
    // The runner goes on with its own.
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
