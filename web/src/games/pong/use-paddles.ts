import { type PointerEvent, type KeyboardEvent as ReactKeyboardEvent, useCallback, useEffect, useState } from 'react'
import { BALL_RADIUS, HEIGHT } from '../../../../src/games/pong/court.ts'
import type { PongInput } from '../../../../src/games/pong/rules.ts'
import type { PongState } from '../../../../src/games/pong/state.ts'
import type { GameSource } from '../use-play.tsx'
import type { Court } from './court-canvas.tsx'

/**
 * Keys, fingers and buttons for the paddles of `mine`. Returns the listeners of the canvas and of the buttons, and `steer`,
 * which sends the moves: call it with each state that is drawn.
 */
export function usePaddles(source: GameSource<PongState, PongInput>, mine: readonly number[], enabled: boolean) {
  const [controls] = useState(() => new PaddleControls())
  const [first, second] = mine

  const steer = useCallback(
    (court: Court) => {
      if (!enabled) return
      for (const seat of [first, second]) {
        if (seat === undefined) continue
        source.input(seat, { move: controls.move(seat, seat === 0 ? court.paddle0 : court.paddle1) })
      }
    },
    [source, controls, enabled, first, second],
  )

  useEffect(() => {
    if (!enabled) return
    const seats = [first, second].filter((seat) => seat !== undefined)
    const now = () => {
      const state = source.state()
      if (state) steer(state)
    }
    const down = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return
      const key = keyOf(event.code, seats)
      if (!key) return
      // The arrows would scroll the page.
      event.preventDefault()
      if (event.repeat) return
      controls.press(event.code, key.seat, key.move)
      now()
    }
    const up = (event: KeyboardEvent) => {
      controls.release(event.code)
      now()
    }
    const letGo = () => {
      controls.releaseAll()
      now()
    }
    addEventListener('keydown', down)
    addEventListener('keyup', up)
    addEventListener('blur', letGo)
    document.addEventListener('visibilitychange', letGo)
    return () => {
      removeEventListener('keydown', down)
      removeEventListener('keyup', up)
      removeEventListener('blur', letGo)
      document.removeEventListener('visibilitychange', letGo)
      letGo()
    }
  }, [source, controls, steer, enabled, first, second])

  // With two seats each half of the court moves its own paddle; a finger keeps the seat on which it came down.
  const seatUnder = (event: PointerEvent<HTMLCanvasElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    return second !== undefined && event.clientX > left + width / 2 ? second : first
  }
  const pull = (event: PointerEvent<HTMLCanvasElement>, seat: number) => {
    const { top, height } = event.currentTarget.getBoundingClientRect()
    controls.pull(seat, ((event.clientY - top) / height) * HEIGHT)
  }
  const [fingers] = useState(() => new Map<number, number>())
  const drop = (event: PointerEvent<HTMLCanvasElement>) => {
    const seat = fingers.get(event.pointerId)
    fingers.delete(event.pointerId)
    if (seat !== undefined) controls.letGo(seat)
  }
  const pointer = enabled
    ? {
        onPointerDown: (event: PointerEvent<HTMLCanvasElement>) => {
          const seat = seatUnder(event)
          if (event.button !== 0 || seat === undefined) return
          event.currentTarget.setPointerCapture(event.pointerId)
          fingers.set(event.pointerId, seat)
          pull(event, seat)
        },
        onPointerMove: (event: PointerEvent<HTMLCanvasElement>) => {
          const seat = fingers.get(event.pointerId)
          if (seat !== undefined) pull(event, seat)
        },
        onPointerUp: drop,
        onPointerCancel: drop,
      }
    : {}

  const button = (seat: number, move: Move) => {
    const id = `button-${seat}-${move}`
    const press = () => controls.press(id, seat, move)
    const release = () => controls.release(id)
    const isPress = (event: ReactKeyboardEvent) => event.key === ' ' || event.key === 'Enter'
    return {
      onPointerDown: press,
      onPointerUp: release,
      onPointerLeave: release,
      onPointerCancel: release,
      onBlur: release,
      onKeyDown: (event: ReactKeyboardEvent) => {
        if (isPress(event)) press()
      },
      onKeyUp: (event: ReactKeyboardEvent) => {
        if (isPress(event)) release()
      },
    }
  }

  return { pointer, button, steer }
}

/** Whether the focused element uses the key itself: a field, a slider, a dialog. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (target instanceof HTMLInputElement) {
    if (target.type === 'range') return key.startsWith('Arrow')
    return target.type !== 'checkbox' && target.type !== 'radio'
  }
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLElement && target.closest('dialog') !== null)
  )
}

export type Move = PongInput['move']

/** The paddle stops this near to the finger, and follows again when the finger is this far away. */
const ARRIVED = BALL_RADIUS
const WANDERED = BALL_RADIUS * 2.5

/** Turns keys, buttons and fingers into the move of each seat. The last key pressed counts. */
class PaddleControls {
  /** Pressed keys and buttons, oldest first. */
  #held: { readonly id: string; readonly seat: number; readonly move: Move }[] = []
  /** Where a seat's paddle is pulled to, in the court's units, and whether it is on its way. */
  readonly #targets = new Map<number, { y: number; moving: boolean }>()

  press(id: string, seat: number, move: Move): void {
    this.release(id)
    this.#held.push({ id, seat, move })
  }

  release(id: string): void {
    this.#held = this.#held.filter((held) => held.id !== id)
  }

  pull(seat: number, y: number): void {
    this.#targets.set(seat, { y, moving: this.#targets.get(seat)?.moving ?? true })
  }

  letGo(seat: number): void {
    this.#targets.delete(seat)
  }

  releaseAll(): void {
    this.#held = []
    this.#targets.clear()
  }

  /** What `seat` does now, its paddle's centre being at `paddle`. */
  move(seat: number, paddle: number): Move {
    const held = this.#held.findLast((press) => press.seat === seat)
    if (held) return held.move
    const target = this.#targets.get(seat)
    if (!target) return 0
    const way = target.y - paddle
    target.moving = Math.abs(way) > (target.moving ? ARRIVED : WANDERED)
    if (!target.moving) return 0
    return way < 0 ? -1 : 1
  }
}

/** The keys of a page that has these seats: one person may use either pair, two share the keyboard. */
export function keyOf(code: string, seats: readonly number[]): { seat: number; move: Move } | null {
  const [first, second = first] = seats
  if (first === undefined || second === undefined) return null
  switch (code) {
    case 'KeyW':
      return { seat: first, move: -1 }
    case 'KeyS':
      return { seat: first, move: 1 }
    case 'ArrowUp':
      return { seat: second, move: -1 }
    case 'ArrowDown':
      return { seat: second, move: 1 }
    default:
      return null
  }
}
