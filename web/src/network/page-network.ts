import { createContext, use, useSyncExternalStore } from 'react'
import { type BadNetwork, createBadNetwork } from '../../../src/client/play/bad-network.ts'
import type { Correction, PlayFigures, PlayStatus } from '../../../src/client/play/index.ts'
import { Listeners } from '../listeners.ts'

/** What the bad network of this page is like. */
export interface BadNetworkSettings {
  /** Added to the round trip, ms: half of it each way. */
  readonly latencyMs: number
  /** A random addition to each frame, 0 to this, ms. */
  readonly jitterMs: number
  /** How long nothing moves, every `STALL_EVERY_MS`. */
  readonly stallMs: number
}

interface NetworkState {
  readonly isBad: boolean
  readonly settings: BadNetworkSettings
}

export const STALL_EVERY_MS = 5_000

/** The network between this page and the server, which can be made a bad one. It starts, and passes everything, as it is. */
export class PageNetwork {
  readonly #network: BadNetwork = createBadNetwork()
  readonly #changes = new Listeners()
  #state: NetworkState = { isBad: false, settings: { latencyMs: 150, jitterMs: 30, stallMs: 0 } }

  /** What the client makes its sockets with. */
  get createSocket(): BadNetwork['createSocket'] {
    return this.#network.createSocket
  }

  get state(): NetworkState {
    return this.#state
  }

  get onChange() {
    return this.#changes.add
  }

  setBad(isBad: boolean): void {
    this.#change({ ...this.#state, isBad })
  }

  /** Takes effect with the next frame, or once the network is to be bad. */
  set(settings: Partial<BadNetworkSettings>): void {
    this.#change({ ...this.#state, settings: { ...this.#state.settings, ...settings } })
  }

  /** Cuts the connection without a word, as when the network is lost. The client comes back by itself. */
  cut(): void {
    this.#network.cut()
  }

  #change(state: NetworkState): void {
    this.#state = state
    const { latencyMs, jitterMs, stallMs } = state.isBad ? state.settings : { latencyMs: 0, jitterMs: 0, stallMs: 0 }
    const stallEveryMs = stallMs > 0 ? STALL_EVERY_MS : 0
    this.#network.set({ latencyMs: latencyMs / 2, jitterMs, stallMs, stallEveryMs })
    this.#changes.tell()
  }
}

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

/** What can be seen and changed of this page's network. */
interface PageNet {
  readonly network: PageNetwork
  readonly nowPlaying: NowPlaying
  /** Calls back when the view of it is to be opened or closed. Answers how to stop that. */
  readonly onToggle: (listener: () => void) => () => void
  toggle(): void
}

export function createPageNet(): PageNet {
  const toggles = new Listeners()
  return {
    network: new PageNetwork(),
    nowPlaying: new NowPlaying(),
    onToggle: toggles.add,
    toggle: () => toggles.tell(),
  }
}

export const NetContext = createContext<PageNet | null>(null)

export function useNet(): PageNet {
  const net = use(NetContext)
  if (!net) throw new Error('useNet needs a NetContext around it')
  return net
}

export function useNowPlaying(): NowPlaying {
  return useNet().nowPlaying
}

export function useNetworkState(): NetworkState {
  const { network } = useNet()
  return useSyncExternalStore(network.onChange, () => network.state)
}
