import { type CanvasHTMLAttributes, useEffect, useRef } from 'react'
import {
  BALL_RADIUS,
  HEIGHT,
  PADDLE_HEIGHT,
  PADDLE_INSET,
  PADDLE_WIDTH,
  WIDTH,
} from '../../../../src/games/pong/court.ts'
import type { PongState } from '../../../../src/games/pong/state.ts'
import { onCanvasSize, readVariables } from '../../ui/canvas.ts'

/** What is drawn of a state. */
export type Court = Pick<PongState, 'paddle0' | 'paddle1' | 'ballX' | 'ballY' | 'pause'>

/** The court before there is a state. The ball is outside, so that it does not show through a countdown. */
export const emptyCourt: Court = {
  paddle0: HEIGHT / 2,
  paddle1: HEIGHT / 2,
  ballX: -WIDTH,
  ballY: HEIGHT / 2,
  pause: 1,
}

const MAX_TRAIL = 7
/** The ball flies no further than this between two pictures; further, it was put there. In units of the court. */
const MAX_FLIGHT = 200

interface CourtCanvasProps extends CanvasHTMLAttributes<HTMLCanvasElement> {
  /** What to show at `now` (`performance.now()`). Called once before every repaint. */
  readonly court: (now: number) => Court
  /** The seats of the viewer. */
  readonly mine: readonly number[]
  /** Draw once, do not move. */
  readonly still?: boolean
}

/** The court as wide as its box, sharp on every screen. */
export function CourtCanvas({ court, mine, still = false, ...rest }: CourtCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const shown = useRef({ court, mine })
  useEffect(() => {
    shown.current = { court, mine }
  })

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d', { alpha: false })
    if (!element || !context) return
    const palette = readVariables(element, PALETTE)
    const calm = matchMedia('(prefers-reduced-motion: reduce)')
    let trail: TrailPoint[] = []

    const paint = (now: number) => {
      const drawn = shown.current.court(now)
      const last = trail.at(-1)
      const isPut = last && Math.hypot(last.x - drawn.ballX, last.y - drawn.ballY) > MAX_FLIGHT
      if (calm.matches || drawn.pause > 0 || isPut) trail = []
      else if (!last || last.x !== drawn.ballX || last.y !== drawn.ballY) {
        trail = [...trail.slice(1 - MAX_TRAIL), { x: drawn.ballX, y: drawn.ballY }]
      }
      context.setTransform(element.width / WIDTH, 0, 0, element.height / HEIGHT, 0, 0)
      drawCourt(context, palette, drawn, { mine: shown.current.mine, trail: trail.slice(0, -1) })
    }

    const stopSizing = onCanvasSize(element, () => paint(performance.now()))
    let request = 0
    const loop = (now: number) => {
      paint(now)
      request = requestAnimationFrame(loop)
    }
    if (!still) request = requestAnimationFrame(loop)
    return () => {
      cancelAnimationFrame(request)
      stopSizing()
    }
  }, [still])

  return <canvas {...rest} ref={canvas} className="court-canvas" />
}

const PALETTE = {
  court: '--court',
  line: '--court-line',
  ink: '--court-ink',
  seat0: '--court-seat-0',
  seat1: '--court-seat-1',
} as const
type Palette = Record<keyof typeof PALETTE, string>

interface TrailPoint {
  readonly x: number
  readonly y: number
}

/** Draws the court in its own units; the context is scaled to them. `mine` are the viewer's sides. */
function drawCourt(
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

  drawPaddle(context, palette.seat0, PADDLE_INSET, court.paddle0)
  drawPaddle(context, palette.seat1, WIDTH - PADDLE_INSET - PADDLE_WIDTH, court.paddle1)

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
  shade.addColorStop(0, seat === 0 ? palette.seat0 : palette.seat1)
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
