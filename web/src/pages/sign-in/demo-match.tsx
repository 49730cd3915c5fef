import { useState } from 'react'
import { pongBot } from '../../../../src/games/pong/bot.ts'
import { TICK_RATE } from '../../../../src/games/pong/court.ts'
import { initPong, stepPong } from '../../../../src/games/pong/rules.ts'
import type { PongState } from '../../../../src/games/pong/state.ts'
import { CourtCanvas } from '../../games/pong/court-canvas.tsx'

const TICK_MS = 1000 / TICK_RATE
/** After a longer pause, as in a hidden tab, the game goes on where it was. */
const MAX_TICKS = 6
/** Ticks before the first picture. */
const HEAD_START = 80
const NOBODY: readonly number[] = []

/** The bot against itself, played by the same rules that the server runs. */
export function Demo() {
  const [game] = useState(createDemo)
  const [isCalm] = useState(() => matchMedia('(prefers-reduced-motion: reduce)').matches)
  return (
    <div className="court demo" aria-hidden="true">
      <CourtCanvas court={game} mine={NOBODY} still={isCalm} />
    </div>
  )
}

function createDemo(): (now: number) => PongState {
  const step = () => stepPong(state, [pongBot(state, 0), pongBot(state, 1)])
  const start = () => initPong({ seed: Math.floor(Math.random() * 2 ** 32), options: { pointsToWin: 21 } })
  let state = start()
  // It starts in the middle of a rally: with reduced motion the first picture is the only one.
  for (let tick = 0; tick < HEAD_START; tick++) step()
  let last: number | null = null
  return (now) => {
    last ??= now
    let ticks = Math.floor((now - last) / TICK_MS)
    last = ticks > MAX_TICKS ? now : last + ticks * TICK_MS
    for (ticks = Math.min(ticks, MAX_TICKS); ticks > 0; ticks--) {
      step()
      if (state.score0 >= state.pointsToWin || state.score1 >= state.pointsToWin) state = start()
    }
    return state
  }
}
