import { z } from 'zod'

const generator = z.int32().describe('Part of the generator of random numbers, xoshiro128**: a signed 32-bit integer.')
const y = (what: string) => z.number().describe(`${what}: its y, 0 at the top, 600 at the bottom.`)

/** A flat object of numbers: cheap to clone, hash and send. Positions and speeds are in the units of `court.ts`. */
export const PongState = z.strictObject({
  rngA: generator,
  rngB: generator,
  rngC: generator,
  rngD: generator,
  pointsToWin: z.int().describe('Who first has as many points wins.'),
  score0: z.int().describe('Points of seat 0, whose paddle is on the left.'),
  score1: z.int().describe('Points of seat 1.'),
  paddle0: y('The centre of the paddle of seat 0'),
  paddle1: y('The centre of the paddle of seat 1'),
  ballX: z.number().describe("The ball's centre: its x, 0 at the left, 800 at the right."),
  ballY: y("The ball's centre"),
  velocityX: z.number().describe('Where the ball goes, units a tick. During a pause: where it will be served.'),
  velocityY: z.number().describe('The same, downwards.'),
  speed: z.number().describe('The length of the velocity, units a tick.'),
  hits: z.int().describe('Times that a paddle has hit the ball since the serve.'),
  pause: z.int().describe('Ticks until the ball is served; 0 while it flies.'),
})
export type PongState = z.infer<typeof PongState>
