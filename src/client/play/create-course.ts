import type { Game } from '../../games/game.ts'
import { type Blend, blendFields } from './blend.ts'
import type { Course, CourseListener } from './course.ts'
import type { Snapshot } from './snapshot.ts'
import { TimedCourse } from './timed-course.ts'
import { TurnCourse } from './turn-course.ts'
import type { PlayableGame, PlayClient, PlayOptions } from './types.ts'

const SMOOTH_MS = 100
const SPECTATOR_DELAY_MS = 100

interface CourseSetup<State> extends Pick<PlayOptions<State>, 'smooth' | 'smoothMs' | 'delayMs'> {
  readonly isPlayer: boolean
  readonly clock: PlayClient['clock']
}

/** The course that a match of this game takes, from its snapshot on. */
export function createCourse<State, Input, Options>(
  playable: PlayableGame<State, Input, Options>,
  snapshot: Snapshot<State, Input>,
  setup: CourseSetup<State>,
  listener: CourseListener,
  now: number,
): Course<State, Input> {
  const { isPlayer, clock, smooth = playable.smooth ?? {}, smoothMs = SMOOTH_MS, delayMs = SPECTATOR_DELAY_MS } = setup
  const game: Game<State, Input, Options> = playable
  if (game.tickRate === 0) return new TurnCourse(game, snapshot, () => clock.rttMs, listener)
  const isBlend = typeof smooth === 'function'
  const blend: Blend<State> = isBlend ? smooth : blendFields((state: State) => game.clone(state), smooth)
  const fields = isBlend ? null : smooth
  const options = { isPlayer, blend, fields, smoothMs, delayMs, pingMs: () => clock.lastRttMs }
  return new TimedCourse(game, snapshot, options, listener, now)
}
