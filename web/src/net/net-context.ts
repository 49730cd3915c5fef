import { createContext, use, useSyncExternalStore } from 'react'
import { Listeners } from '../listeners.ts'
import { NowPlaying } from './now-playing.ts'
import { type NetworkState, PageNetwork } from './page-network.ts'

/** What can be seen and changed of this page's network. */
export interface PageNet {
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
