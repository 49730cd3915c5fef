import { useEffect, useRef } from 'react'
import { onCanvasSize, readVariables } from '../ui/canvas.ts'
import type { CoopGame, CoopPicture } from './coop-game.ts'
import { COIN_RADIUS, FIELD_HEIGHT, FIELD_WIDTH, PLAYER_RADIUS, type Place } from './field.ts'
import { Steering } from './steering.ts'

/** How many players have a colour of their own; further ones share. */
export const PLAYER_COLORS = 8

interface CoopFieldProps {
  readonly game: CoopGame
  readonly userId: string
  /** In the order of their colours. */
  readonly members: readonly { readonly userId: string; readonly displayName: string }[]
}

/** The field, drawn again with every picture of the screen. */
export function CoopField({ game, userId, members }: CoopFieldProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const shown = useRef(members)
  useEffect(() => {
    shown.current = members
  })
  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d', { alpha: false })
    if (!element || !context) return
    const palette = readVariables(element, PALETTE)
    const steering = new Steering()
    const stopSteering = steering.listen(element)
    // A name is as large on a small field.
    let nameSize = 15
    const stopSizing = onCanvasSize(element, (width) => {
      nameSize = Math.round((14 * FIELD_WIDTH) / Math.max(1, width))
    })
    const directionFrom = (place: Place) => steering.direction(place)
    let request = 0
    const loop = (now: number) => {
      context.setTransform(element.width / FIELD_WIDTH, 0, 0, element.height / FIELD_HEIGHT, 0, 0)
      draw(context, palette, game.step(now, directionFrom), { userId, members: shown.current, nameSize })
      request = requestAnimationFrame(loop)
    }
    request = requestAnimationFrame(loop)
    return () => {
      cancelAnimationFrame(request)
      stopSteering()
      stopSizing()
    }
  }, [game, userId])
  return (
    <canvas
      ref={canvas}
      className="coop-field"
      role="img"
      aria-label="The field: players collect coins"
      data-testid="coop-field"
    />
  )
}

const PALETTE = {
  field: '--court',
  line: '--court-line',
  ink: '--court-ink',
  coin: '--coin',
  player0: '--player-0',
  player1: '--player-1',
  player2: '--player-2',
  player3: '--player-3',
  player4: '--player-4',
  player5: '--player-5',
  player6: '--player-6',
  player7: '--player-7',
} as const
type Palette = Record<keyof typeof PALETTE, string>

function draw(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { coins, players }: CoopPicture,
  { userId, members, nameSize }: Pick<CoopFieldProps, 'userId' | 'members'> & { readonly nameSize: number },
): void {
  context.fillStyle = palette.field
  context.fillRect(0, 0, FIELD_WIDTH, FIELD_HEIGHT)
  context.strokeStyle = palette.line
  context.lineWidth = 3
  context.strokeRect(12, 12, FIELD_WIDTH - 24, FIELD_HEIGHT - 24)

  context.fillStyle = palette.coin
  for (const coin of coins) disc(context, coin, COIN_RADIUS)

  const colors = [palette.player0, palette.player1, palette.player2, palette.player3]
  colors.push(palette.player4, palette.player5, palette.player6, palette.player7)
  context.font = `600 ${nameSize}px system-ui, sans-serif`
  context.textAlign = 'center'
  for (const player of players) {
    const index = members.findIndex((member) => member.userId === player.userId)
    context.fillStyle = colors[index % PLAYER_COLORS] ?? palette.ink
    disc(context, player.place, PLAYER_RADIUS)
    context.strokeStyle = palette.ink
    context.lineWidth = player.userId === userId ? 4 : 0.01
    context.stroke()
    context.fillStyle = palette.ink
    const name = player.userId === userId ? 'You' : (members[index]?.displayName ?? '')
    const { x, y } = player.place
    const above = y - PLAYER_RADIUS - 8
    context.fillText(name, x, above > nameSize ? above : y + PLAYER_RADIUS + nameSize + 4, 240)
  }
}

function disc(context: CanvasRenderingContext2D, { x, y }: Place, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fill()
}
