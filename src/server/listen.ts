import { isIPv6 } from 'node:net'
import { EXCLUSIVE_PORT, type loadUws, type TemplatedApp } from './uws.ts'

export interface Listening {
  readonly port: number
  readonly url: string
  /** Closes the port. Open connections go on. */
  stop(): void
}

/** Opens a port for `app`; 0 takes any free one. @throws Error when the port is taken or the address is not this machine's */
export function listen(
  uws: Awaited<ReturnType<typeof loadUws>>,
  app: TemplatedApp,
  host: string,
  port: number,
): Promise<Listening> {
  return new Promise((resolve, reject) => {
    app.listen(host, port, EXCLUSIVE_PORT, (token) => {
      if (token === false) {
        reject(new Error(`${host}:${port} is taken or not an address of this machine`))
        return
      }
      const opened = uws.us_socket_local_port(token)
      const url = `http://${reachable(host)}:${opened}`
      resolve({ port: opened, url, stop: () => uws.us_listen_socket_close(token) })
    })
  })
}

/** The host for a URL: one cannot connect to an address that listens everywhere. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}
