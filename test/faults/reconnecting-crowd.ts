// Opens a socket for each of many users, and on request cuts all of them and opens them again at once. A process of its own.
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { upgradeRequest } from './open-raw.ts'
import type { User } from './users.ts'

export interface Crowd {
  readonly port: number
  readonly users: readonly User[]
}

/** How a round of connecting went. Times are from its begin, ms. */
export interface Round {
  readonly allMs: number
  readonly medianMs: number
  /** Connections that ended before their user was welcomed, and were tried again. */
  readonly failed: number
}

/** Sockets that are opened at the same time when the crowd arrives for the first time. */
const ARRIVING = 64
const RETRY_MS = 500

let sockets: Socket[] = []

process.on('message', (order: Crowd | 'again') => {
  void run(order).then((round) => process.send?.(round))
})
process.once('disconnect', () => process.exit(0))

let crowd: Crowd | undefined

async function run(order: Crowd | 'again'): Promise<Round> {
  if (order !== 'again') {
    // It stands for other machines: what it costs here must not slow down what is measured.
    setPriority(10)
    crowd = order
    const waiting = order.users.values()
    return connectAll(order, ARRIVING, () => waiting.next().value)
  }
  if (!crowd) throw new Error('there is no crowd')
  const waiting = crowd.users.values()
  for (const socket of sockets) socket.destroy()
  sockets = []
  return connectAll(crowd, crowd.users.length, () => waiting.next().value)
}

async function connectAll({ port }: Crowd, atOnce: number, next: () => User | undefined): Promise<Round> {
  const begin = performance.now()
  const times: number[] = []
  let failed = 0
  const work = async () => {
    for (let user = next(); user !== undefined; user = next()) {
      while (!(await isWelcomed(port, user))) {
        failed++
        await sleep(RETRY_MS * (1 + Math.random()))
      }
      times.push(performance.now() - begin)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const sorted = times.toSorted((a, b) => a - b)
  return { allMs: sorted.at(-1) ?? 0, medianMs: sorted[sorted.length >> 1] ?? 0, failed }
}

/** Opens a socket; whether the server welcomes its user. */
function isWelcomed(port: number, { id, cookie, address }: User): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true })
    let text = ''
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.write(upgradeRequest(port, `Cookie: ${cookie}\r\n`)))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.includes('"rpc.welcome"') || !text.includes(`"id":"${id}"`)) return
      text = ''
      sockets.push(socket)
      socket.removeAllListeners('data').resume()
      resolve(true)
    })
  })
}
