/**
 * Something between two states that differ little, for drawing only. `share` is 0 at `from` and 1 at `to`. Gives a
 * state of its own; what cannot be in between is as in `to`.
 */
export type Blend<State> = (from: State, to: State, share: number) => State

/** The numeric fields of a flat state that are drawn as positions, each with the largest difference that is movement: more is a jump. */
export type SmoothFields = Readonly<Record<string, number>>

/** Blends the fields that are listed, and takes the others from `to`. */
export function blendFields<State>(clone: (state: State) => State, fields: SmoothFields): Blend<State> {
  const bounds = Object.entries(fields)
  return (from, to, share) => {
    const shown = clone(to)
    if (share >= 1 || typeof shown !== 'object' || shown === null) return shown
    for (const [name, bound] of bounds) {
      const a = numberIn(from, name)
      const b = numberIn(to, name)
      if (a !== null && b !== null && Math.abs(b - a) <= bound) Reflect.set(shown, name, a + (b - a) * share)
    }
    return shown
  }
}

/** The largest difference between two states in the fields listed, or in all numeric ones. */
export function distance(a: unknown, b: unknown, fields: SmoothFields | null): number {
  let most = 0
  for (const name of Object.keys(fields ?? (typeof a === 'object' && a !== null ? a : {}))) {
    most = Math.max(most, Math.abs((numberIn(a, name) ?? 0) - (numberIn(b, name) ?? 0)))
  }
  return most
}

function numberIn(state: unknown, name: string): number | null {
  if (typeof state !== 'object' || state === null) return null
  const value: unknown = Reflect.get(state, name)
  return typeof value === 'number' ? value : null
}
