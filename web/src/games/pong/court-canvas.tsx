import { type CanvasHTMLAttributes, useEffect, useRef } from 'react'
import { HEIGHT, WIDTH } from '../../../../src/games/pong/geometry.ts'
import type { Court } from './court.ts'
import { drawCourt, readPalette, type TrailPoint } from './draw-court.ts'

const MAX_TRAIL = 7
/** How far the ball flies at most between two pictures; further away it was put. In units of the court. */
const MAX_FLIGHT = 200

interface CourtCanvasProps extends CanvasHTMLAttributes<HTMLCanvasElement> {
  /** What to show at `now` (`performance.now()`). Called once before every repaint. */
  readonly court: (now: number) => Court
  /** The seats of who looks at it. */
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
    const palette = readPalette(element)
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

    const resize = new ResizeObserver(([entry]) => {
      if (!entry) return
      const ratio = Math.min(3, devicePixelRatio)
      element.width = Math.max(1, Math.round(entry.contentRect.width * ratio))
      element.height = Math.max(1, Math.round(entry.contentRect.height * ratio))
      paint(performance.now())
    })
    resize.observe(element)

    let request = 0
    const loop = (now: number) => {
      paint(now)
      request = requestAnimationFrame(loop)
    }
    if (!still) request = requestAnimationFrame(loop)
    return () => {
      cancelAnimationFrame(request)
      resize.disconnect()
    }
  }, [still])

  return <canvas {...rest} ref={canvas} className="court-canvas" />
}
