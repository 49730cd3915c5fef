import { z } from 'zod'
import type { ConnectFourState, connectFour } from '../../src/games/connect-four/index.ts'
import { type AnyGame, defineGame, type PutInitBeforeWhatTakesTheState } from '../../src/games/game.ts'
import type { PongState, pong } from '../../src/games/pong/index.ts'

const schemas = {
  options: z.object({ goal: z.number().default(3) }),
  input: z.object({ move: z.union([z.literal(-1), z.literal(0), z.literal(1)]) }),
}

/** Checked by the compiler alone: a line marked as an error that compiles fails `tsc -p test`. */
export function types(): void {
  const isExactly = <A>() => ({
    as: <B>(_same: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false) => {},
  })

  const race = defineGame({
    name: 'race',
    seats: 2,
    tickRate: 60,
    ...schemas,
    idle: { move: 0 },
    init: ({ seed, options }) => ({ seed, left: options.goal, points: [0, 0] }),
    step: (state, inputs) => {
      isExactly<typeof state.left>().as<number>(true)
      state.left -= inputs[0]?.move ?? 0
      // @ts-expect-error the state has no such field
      state.right = 1
      // @ts-expect-error an input has no such field
      inputs[0]?.jump
    },
    outcome: ({ left, points }) => (left > 0 ? null : { placements: [1, 2], scores: points }),
    clone: (state) => ({ ...state, points: [...state.points] }),
    bot: ({ left }, seat) => ({ move: left > seat ? 1 : -1 }),
  })
  isExactly<ReturnType<typeof race.init>>().as<{ seed: number; left: number; points: number[] }>(true)
  isExactly<typeof race.idle>().as<{ move: -1 | 0 | 1 }>(true)
  isExactly<typeof race.name>().as<'race'>(true)
  isExactly<typeof pong.name>().as<'pong'>(true)
  isExactly<ReturnType<typeof pong.init>>().as<PongState>(true)
  isExactly<ReturnType<typeof connectFour.init>>().as<ConnectFourState>(true)

  const rest = {
    name: 'race',
    seats: 2,
    tickRate: 60,
    ...schemas,
    outcome: () => null,
    step: () => {},
  } as const
  const init = ({ seed }: { seed: number }) => ({ seed })
  const bot = () => ({ move: 0 }) as const
  const clone = (state: { seed: number }) => state

  // In any order, if `init` names the type of what it is given.
  const known = defineGame({
    ...rest,
    scores: ({ seed }) => [seed],
    clone: (state) => state,
    idle: { move: 0 },
    init,
    bot,
  })
  isExactly<ReturnType<typeof known.init>>().as<{ seed: number }>(true)

  const unknown = defineGame({
    ...rest,
    scores: (state) => [state.points],
    clone: (state) => state,
    idle: { move: 0 },
    init: ({ seed }) => ({ seed }),
    bot,
  })
  isExactly<typeof unknown>().as<PutInitBeforeWhatTakesTheState>(true)
  // @ts-expect-error it is no game
  unknown satisfies AnyGame

  // @ts-expect-error an input that the schema does not know
  defineGame({ ...rest, idle: { move: 2 }, init, clone, bot })
  // @ts-expect-error the same of a bot
  defineGame({ ...rest, idle: { move: 0 }, init, clone, bot: () => ({ move: 2 }) })
  // @ts-expect-error no bot
  defineGame({ ...rest, idle: { move: 0 }, init, clone })
}
