import type { Game } from '../../games/game.ts'
import type { Course, CourseListener } from './course.ts'
import { type Blend, blendFields } from './drawing.ts'
import type { Snapshot } from './match-stream.ts'
import { Session } from './session.ts'
import { TimedCourse } from './timed-course.ts'
import { TurnCourse } from './turn-course.ts'
import type { Play, PlayableGame, PlayClient, PlayOptions, PlayWire } from './types.ts'

/** How long a correction takes to disappear from the picture by default. */
const SMOOTH_MS = 100
/** How far behind spectators watch at least, by default. */
const SPECTATOR_DELAY_MS = 100

/**
 * Plays or watches a match. Own inputs show at once, those of others when they are known, and what the server decides
 * counts. Draw `play.state` as often as you like: nothing is computed in between.
 *
 * `game` must have the same rules as the server's.
 */
export function play<State, Input, Options>(
  rally: PlayClient,
  matchId: string,
  game: PlayableGame<State, Input, Options>,
  options: PlayOptions<State> = {},
): Play<State, Input> {
  if (!isWired(rally)) throw new TypeError('play() needs a client made by createClient()')
  return new Session(rally, matchId, game, options, createCourse)

  function createCourse(
    snapshot: Snapshot<State, Input>,
    isPlayer: boolean,
    listener: CourseListener,
    now: number,
  ): Course<State, Input> {
    const { clock } = rally
    const { smooth = game.smooth ?? {}, smoothMs = SMOOTH_MS, delayMs = SPECTATOR_DELAY_MS } = options
    const rules: Game<State, Input, Options> = game
    if (rules.tickRate === 0) return new TurnCourse(rules, snapshot, () => clock.rttMs, listener)
    const isBlend = typeof smooth === 'function'
    const blend: Blend<State> = isBlend ? smooth : blendFields((state: State) => rules.clone(state), smooth)
    const fields = isBlend ? null : smooth
    const drawing = { isPlayer, blend, fields, smoothMs, delayMs, pingMs: () => clock.lastRttMs }
    return new TimedCourse(rules, snapshot, drawing, listener, now)
  }
}

/** Every client has these, though its public type does not show them. */
function isWired(rally: object): rally is PlayWire {
  return ['subscribe', 'request', 'sendFrame', 'beLive'].every((name) => typeof Reflect.get(rally, name) === 'function')
}
