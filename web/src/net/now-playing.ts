import type { Correction, PlayFigures, PlayStatus } from '../../../src/client/play/index.ts'
import { Listeners } from '../listeners.ts'

/** What the network's overlay wants to know of a match that is followed. */
export interface Played {
  readonly status: PlayStatus
  readonly figures: PlayFigures
  on(name: 'correction', listener: (correction: Correction) => void): () => void
}

/** The match that this page follows, if it does. */
export class NowPlaying {
  readonly #changes = new Listeners()
  #played: Played | null = null
  #isTimed = false

  get current(): Played | null {
    return this.#played
  }

  /** It goes by the clock, not in turns. */
  get isTimed(): boolean {
    return this.#isTimed
  }

  get onChange() {
    return this.#changes.add
  }

  /** Answers how to say that it is followed no more. */
  set(played: Played, isTimed: boolean): () => void {
    this.#isTimed = isTimed
    this.#change(played)
    return () => {
      if (this.#played === played) this.#change(null)
    }
  }

  #change(played: Played | null): void {
    this.#played = played
    this.#changes.tell()
  }
}
