import type { MatchRunner } from '../../engine/index.ts'
import type { AnyGame } from '../../games/game.ts'
import { indexOfInput } from '../../games/simulate.ts'
import type { Issue } from '../../protocol/index.ts'
import { type LiveInputFrame, MAX_INPUT_LENGTH } from '../../protocol/live-frames.ts'
import { isStorableJson, RpcError, toIssues } from '../../rpc/index.ts'
import type { LiveMatch, SeatOf } from './live-matches.ts'

/** A match that runs on this node. */
export type RunningMatch = LiveMatch & { readonly runner: MatchRunner }

/** The match, if it takes inputs here. @throws RpcError NOT_LIVE; UNAVAILABLE while the match is paused */
export function playing(match: LiveMatch | undefined): RunningMatch {
  if (!isPlayed(match)) throw notLive()
  if (match.runner.paused) throw new RpcError('UNAVAILABLE', 'This match stands still', { retryAfterMs: 500 })
  return match
}

export function notLive(): RpcError {
  return new RpcError('NOT_LIVE', 'This match is not being played')
}

function isPlayed(match: LiveMatch | undefined): match is RunningMatch {
  return match?.runner?.isOver === false
}

/** The user's seat that is named, or the only one. @throws RpcError NOT_SEATED; VALIDATION_FAILED if one must be named */
export function ownSeat(seats: readonly SeatOf[], userId: string, seat: number | undefined): number {
  const [own, other] = seats.filter((one) => one.userId === userId && (seat === undefined || one.seat === seat))
  if (!own) throw new RpcError('NOT_SEATED', 'You have no such seat in this match')
  if (other) throw invalidInput([{ path: 'seat', message: 'you have several seats: say which' }])
  return own.seat
}

/** The input as the game's schema reads it; that of the game's table, if it has it. @throws RpcError VALIDATION_FAILED */
export function toInput(game: AnyGame, input: unknown): unknown {
  const parsed = game.input.safeParse(input)
  if (!parsed.success) throw invalidInput(toIssues(parsed.error, 'input'))
  const index = indexOfInput(game, parsed.data)
  if (index >= 0) return game.inputs?.[index]
  if (JSON.stringify(parsed.data).length > MAX_INPUT_LENGTH) {
    throw invalidInput([{ path: 'input', message: `longer than ${MAX_INPUT_LENGTH} characters` }])
  }
  return parsed.data
}

/** The input in a binary frame. @throws RpcError VALIDATION_FAILED */
export function inputOfFrame(game: AnyGame, frame: LiveInputFrame, maxDepth: number): unknown {
  if (frame.kind === 'json') {
    if (!isStorableJson(frame.input, maxDepth)) throw invalidInput()
    return toInput(game, frame.input)
  }
  const { inputs = [] } = game
  if (frame.index >= inputs.length) throw invalidInput()
  return inputs[frame.index]
}

function invalidInput(issues: readonly Issue[] = [{ path: 'input', message: 'no input of this game' }]): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The input is not valid', { issues })
}
