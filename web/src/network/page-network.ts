import { type BadNetwork, createBadNetwork } from '../../../src/client/play/bad-network.ts'
import type { Play } from '../../../src/client/play/index.ts'
import { requiredContext, Store } from '../store.ts'

/** The faults of this page's bad network. */
export interface BadNetworkSettings {
  /** Added to the round trip, ms: half of it each way. */
  readonly latencyMs: number
  /** A random addition to each frame, 0 to this, ms. */
  readonly jitterMs: number
  /** How long nothing passes, every `STALL_EVERY_MS`. */
  readonly stallMs: number
}

interface NetworkState {
  readonly isBad: boolean
  readonly settings: BadNetworkSettings
}

export const STALL_EVERY_MS = 5_000

/** The network between this page and the server, which can be made a bad one. At first it changes nothing. */
export class PageNetwork extends Store<NetworkState> {
  readonly #network: BadNetwork = createBadNetwork()

  constructor() {
    super({ isBad: false, settings: { latencyMs: 150, jitterMs: 30, stallMs: 0 } })
  }

  /** Makes the client's sockets. */
  get createSocket(): BadNetwork['createSocket'] {
    return this.#network.createSocket
  }

  /** Takes effect with the next frame, if the network is bad then. */
  change(settings: Partial<BadNetworkSettings>): void {
    this.set({ ...this.current, settings: { ...this.current.settings, ...settings } })
  }

  /** Cuts the connection without a close, as when the network is lost. The client reconnects by itself. */
  cut(): void {
    this.#network.cut()
  }

  override set(state: NetworkState): void {
    const { latencyMs, jitterMs, stallMs } = state.isBad ? state.settings : { latencyMs: 0, jitterMs: 0, stallMs: 0 }
    const stallEveryMs = stallMs > 0 ? STALL_EVERY_MS : 0
    this.#network.set({ latencyMs: latencyMs / 2, jitterMs, stallMs, stallEveryMs })
    super.set(state)
  }
}

/** A match that this page plays or watches. */
export interface Followed {
  readonly play: Pick<Play<unknown, never>, 'status' | 'figures'> & {
    on(name: 'correction', listener: (correction: { readonly depth: number }) => void): () => void
  }
  /** It has a clock; it is not turn-based. */
  readonly isTimed: boolean
}

/** What can be seen and changed of this page's network. */
export class PageNet {
  readonly network = new PageNetwork()
  /** Null while no match is followed. */
  readonly followed = new Store<Followed | null>(null)
  readonly isPanelOpen = new Store(false)

  togglePanel(): void {
    this.isPanelOpen.set(!this.isPanelOpen.current)
  }
}

export const [NetContext, useNet] = requiredContext<PageNet>('NetContext')
