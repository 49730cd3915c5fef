import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A port of this machine, or one elsewhere. */
type Target = number | { readonly host: string; readonly port: number }

/** A port that leads to a server that can be stopped or moved, over a network that can be cut. */
export interface TcpProxy {
  readonly port: number
  readonly url: string
  /** Where new connections lead from now on; `undefined` refuses them and cuts those that are open. */
  leadTo(target: Target | undefined): void
  /** Cuts every connection; new ones work. */
  cut(): void
  /** The open connections stay open, but nothing gets through any more. New ones work. */
  stall(): void
  /** Accepts connections but lets nothing through, on open ones either, until `leadTo` is called. */
  hang(): void
  close(): Promise<void>
}

export async function startTcpProxy(first?: Target): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let target = first
  let isHanging = false
  const server = createServer((client) => {
    if (isHanging) {
      sockets.add(client)
      client.on('error', () => client.destroy())
      client.on('close', () => sockets.delete(client))
      return
    }
    if (target === undefined) return void client.destroy()
    const upstream = connect(typeof target === 'number' ? { host: '127.0.0.1', port: target } : target)
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
  const stall = () => {
    for (const socket of sockets) {
      socket.unpipe()
      socket.pause()
    }
  }
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    cut,
    leadTo(next) {
      target = next
      // A connection that hung has lost bytes.
      if (next === undefined || isHanging) cut()
      isHanging = false
    },
    stall,
    hang() {
      isHanging = true
      stall()
    },
    async close() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
