import type { Config } from '../config.ts'

export type OriginCheck = (origin: string) => boolean

/**
 * Whether a page of this origin may talk to the server with the user's cookie. No origin at all is a client that is no
 * browser. Outside production the server's own port on this machine is allowed under each of its names.
 */
export function createOriginCheck(config: Config, port: () => number): OriginCheck {
  return (origin) => {
    if (origin === '' || config.allowedOrigins.has(origin)) return true
    if (config.production) return false
    return ['localhost', '127.0.0.1', '[::1]'].some((host) => origin === `http://${host}:${port()}`)
  }
}
