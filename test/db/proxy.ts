import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A port that leads to a database which may come and go, or move. */
export interface Proxy {
  readonly port: number
  /** Where new connections lead from now on; `undefined` refuses them and cuts those that are open. */
  leadTo(target: { host: string; port: number } | undefined): void
  close(): Promise<void>
}

export async function startProxy(): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let target: { host: string; port: number } | undefined
  const server = createServer((client) => {
    if (!target) return void client.destroy()
    const upstream = connect(target)
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
    port: address.port,
    leadTo(next) {
      target = next
      if (!next) cut()
    },
    async close() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}
