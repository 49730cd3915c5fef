import { FIELD_HEIGHT, FIELD_WIDTH, type Place } from './field.ts'

const KEYS: Readonly<Record<string, Place>> = {
  ArrowUp: { x: 0, y: -1 },
  KeyW: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
  KeyS: { x: 0, y: 1 },
  ArrowLeft: { x: -1, y: 0 },
  KeyA: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  KeyD: { x: 1, y: 0 },
}
/** Nearer to the finger than this a player stands still. In units of the field. */
const NEAR = 6

/** Where a player wants to go, by keys or by pressing on the field. */
export class Steering {
  readonly #held = new Set<string>()
  #target: Place | null = null

  /** Listens until the returned function is called. */
  listen(field: HTMLElement): () => void {
    const stop = new AbortController()
    const { signal } = stop
    addEventListener('keydown', (event) => this.#press(event), { signal })
    addEventListener('keyup', ({ code }) => this.#held.delete(code), { signal })
    addEventListener('blur', () => this.#release(), { signal })
    const aim = (event: PointerEvent) => {
      const box = field.getBoundingClientRect()
      this.#target = {
        x: ((event.clientX - box.left) / box.width) * FIELD_WIDTH,
        y: ((event.clientY - box.top) / box.height) * FIELD_HEIGHT,
      }
    }
    const start = (event: PointerEvent) => {
      field.setPointerCapture(event.pointerId)
      aim(event)
    }
    const follow = (event: PointerEvent) => {
      if (this.#target) aim(event)
    }
    const end = () => {
      this.#target = null
    }
    field.addEventListener('pointerdown', start, { signal })
    field.addEventListener('pointermove', follow, { signal })
    for (const over of ['pointerup', 'pointercancel'] as const) field.addEventListener(over, end, { signal })
    return () => {
      stop.abort()
      this.#release()
    }
  }

  /** The direction from `place`, of length 1 or 0. */
  direction(place: Place): Place {
    let x = 0
    let y = 0
    for (const key of this.#held) {
      x += KEYS[key]?.x ?? 0
      y += KEYS[key]?.y ?? 0
    }
    if (x === 0 && y === 0 && this.#target) {
      x = this.#target.x - place.x
      y = this.#target.y - place.y
      if (Math.hypot(x, y) < NEAR) return { x: 0, y: 0 }
    }
    const length = Math.hypot(x, y)
    return length === 0 ? { x: 0, y: 0 } : { x: x / length, y: y / length }
  }

  #press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.code)) return
    if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog')) return
    event.preventDefault()
    this.#held.add(event.code)
  }

  #release(): void {
    this.#held.clear()
    this.#target = null
  }
}
