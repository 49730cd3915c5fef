import { type ConfigInput, modules, startRally } from 'rally/server'
import { cinema } from './cinema.ts'

/** Rally with the cinema, its table and its page. */
export function startCinema(config: ConfigInput = {}) {
  return startRally({
    modules: { ...modules, cinema },
    migrations: new URL('../migrations', import.meta.url),
    page: new URL('../page', import.meta.url),
    config,
  })
}
