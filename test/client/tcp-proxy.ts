import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A port that leads to a server over a bad network. */
export interface TcpProxy {
  readonly url: string
  /** Where new connections lead from now on. */
  leadTo(port: number): void
  /** Ends every connection without a word; new ones get through. */
  cut(): void
  /** Lets nothing more through on the connections there are, which stay open; new ones get through. */
  stall(): void
  close(): Promise<void>
}

export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let target = port
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    leadTo(next) {
      target = next
    },
    stall() {
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    async close() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
