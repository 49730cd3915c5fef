import { type BadNetwork, createBadNetwork } from '../../../src/client/play/bad-network.ts'
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

export interface NetworkState {
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
