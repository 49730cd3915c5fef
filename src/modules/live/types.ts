import { z } from 'zod'
import { EndReason, MatchStatus, Player } from '../matches/types.ts'
import { MatchId } from '../wire.ts'

/** Frames a second in mode `state`. There are few rates, so that followers share frames. */
export const StateRate = z.literal([60, 30, 20, 15, 10, 5, 1])
export type StateRate = z.infer<typeof StateRate>

/** One frame of a match in mode `state`. `state` is the game's own, as of `tick`. */
export const LiveFrame = z.object({ tick: z.number().int(), state: z.unknown(), status: MatchStatus })
export type LiveFrame = z.infer<typeof LiveFrame>

/** What a player does from now on, or from `tick` on. */
export const LiveInput = z.object({
  matchId: MatchId,
  input: z.unknown(),
  seat: z.number().int().min(0).max(63).optional(),
  tick: z.number().int().min(0).optional(),
})
export type LiveInput = z.infer<typeof LiveInput>

/** From the step of `tick` on, `seat` does `input`: `[tick, seat, input]`. */
export const LiveChange = z.tuple([z.number().int(), z.number().int(), z.unknown()])
export type LiveChange = z.infer<typeof LiveChange>

/** What a follower of mode `inputs` needs to run the match itself from here on. The events are binary frames. */
export const LiveInputsSnapshot = z.object({
  /** The newest tick that no input can change any more. From its state a client can step to any later tick. */
  tick: z.number().int(),
  state: z.unknown(),
  status: MatchStatus,
  /** What each seat held at `tick`. */
  inputs: z.array(z.unknown()),
  /** Changes at `tick` and later, in the order of ticks. Of two changes for the same tick and seat the later one counts. */
  changes: z.array(LiveChange),
  /** Steps done by the time of the answer's `ts`. */
  now: z.number().int(),
  /** Names the match in binary frames both ways; null when no frame will come. */
  stream: z.number().int().nullable(),
  game: z.string(),
  rulesVersion: z.number().int(),
  /** An unsigned 32-bit integer. */
  seed: z.number().int(),
  options: z.unknown(),
  /** Steps a second; 0 for a turn-based game. */
  tickRate: z.number().int(),
  /** How far back an input may take effect. The keyframe of tick t is sent just before step t + `rewindTicks`. */
  rewindTicks: z.number().int(),
  /** How far behind the match this follower is: 0 for players, `spectatorDelayMs` for others. */
  delayMs: z.number().int(),
})
export type LiveInputsSnapshot = z.infer<typeof LiveInputsSnapshot>

/** A finished match, to be played again by the rules of `rulesVersion`. A long match needs several answers. */
export const Replay = z.object({
  matchId: MatchId,
  game: z.string(),
  rulesVersion: z.number().int(),
  seed: z.number().int(),
  options: z.unknown(),
  /** Steps from the start to the end. */
  ticks: z.number().int(),
  changes: z.array(LiveChange),
  /** The value of `from` for the next changes; null when these are the last. */
  next: z.number().int().nullable(),
  players: z.array(Player),
  winnerSeat: z.number().int().nullable(),
  scores: z.array(z.number().int()),
  /** Why it ended, if not by its rules. */
  endReason: EndReason.nullable(),
})
export type Replay = z.infer<typeof Replay>
