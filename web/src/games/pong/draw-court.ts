import {
  BALL_RADIUS,
  HEIGHT,
  PADDLE_HEIGHT,
  PADDLE_INSET,
  PADDLE_WIDTH,
  WIDTH,
} from '../../../../src/games/pong/geometry.ts'
import type { Court } from './court.ts'

/** The colours of the court, as the style sheet has them. */
export interface Palette {
  readonly court: string
  readonly line: string
  readonly ink: string
  readonly seats: readonly [string, string]
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  const color = (name: string) => style.getPropertyValue(name).trim()
  return {
    court: color('--court'),
    line: color('--court-line'),
    ink: color('--court-ink'),
    seats: [color('--court-seat-0'), color('--court-seat-1')],
  }
}

export interface TrailPoint {
  readonly x: number
  readonly y: number
}

/** Draws the court in its own units; the context is scaled to them. `mine` are the sides of who looks at it. */
export function drawCourt(
  context: CanvasRenderingContext2D,
  palette: Palette,
  court: Court,
  { mine, trail }: { mine: readonly number[]; trail: readonly TrailPoint[] },
): void {
  context.globalAlpha = 1
  context.fillStyle = palette.court
  context.fillRect(0, 0, WIDTH, HEIGHT)
  if (mine.length === 1) drawOwnSide(context, palette, mine[0] ?? 0)

  context.strokeStyle = palette.line
  context.lineWidth = 4
  context.setLineDash([4, 20])
  context.lineCap = 'round'
  context.beginPath()
  context.moveTo(WIDTH / 2, 14)
  context.lineTo(WIDTH / 2, HEIGHT - 10)
  context.stroke()
  context.setLineDash([])

  drawPaddle(context, palette.seats[0], PADDLE_INSET, court.paddle0)
  drawPaddle(context, palette.seats[1], WIDTH - PADDLE_INSET - PADDLE_WIDTH, court.paddle1)

  context.fillStyle = palette.ink
  trail.forEach(({ x, y }, index) => {
    const age = (index + 1) / (trail.length + 1)
    context.globalAlpha = age * 0.3
    circle(context, x, y, BALL_RADIUS * (0.4 + age * 0.6))
  })
  context.globalAlpha = 1
  circle(context, court.ballX, court.ballY, BALL_RADIUS)
}

function drawOwnSide(context: CanvasRenderingContext2D, palette: Palette, seat: number): void {
  const edge = seat === 0 ? 0 : WIDTH
  const shade = context.createLinearGradient(edge, 0, seat === 0 ? WIDTH * 0.3 : WIDTH * 0.7, 0)
  shade.addColorStop(0, palette.seats[seat === 0 ? 0 : 1])
  shade.addColorStop(1, 'transparent')
  context.globalAlpha = 0.2
  context.fillStyle = shade
  context.fillRect(seat === 0 ? 0 : WIDTH * 0.7, 0, WIDTH * 0.3, HEIGHT)
  context.globalAlpha = 1
}

function drawPaddle(context: CanvasRenderingContext2D, color: string, x: number, centre: number): void {
  context.fillStyle = color
  context.beginPath()
  context.roundRect(x, centre - PADDLE_HEIGHT / 2, PADDLE_WIDTH, PADDLE_HEIGHT, PADDLE_WIDTH / 2)
  context.fill()
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fill()
}
