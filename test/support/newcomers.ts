import { connect, type TestClient } from './client.ts'
import { type Player, type Rally, register } from './server.ts'

/** A player with one socket. */
export class Newcomer {
  readonly player: Player
  client: TestClient
  readonly #rally: Pick<Rally, 'url'>

  constructor(rally: Pick<Rally, 'url'>, player: Player, client: TestClient) {
    this.#rally = rally
    this.player = player
    this.client = client
  }

  /** Cuts the socket, as when a network goes away. */
  async drop(): Promise<void> {
    this.client.socket.terminate()
    await this.client.closed
  }

  async comeBack(): Promise<void> {
    this.client = await openSocket(this.#rally, this.player)
  }
}

let names = 0

/** A new player. */
export async function newcomer(rally: Pick<Rally, 'url'>): Promise<Newcomer> {
  const player = await register(rally.url, `player_${++names}`)
  return new Newcomer(rally, player, await openSocket(rally, player))
}

/** A socket that works. One that is cut as it opens is opened again, as every client does. */
export async function openSocket(rally: Pick<Rally, 'url'>, player?: Pick<Player, 'cookie'>): Promise<TestClient> {
  for (;;) {
    const client = await connect(rally.url, player ? { cookie: player.cookie } : {}).catch((error: unknown) => {
      if (!String(error).includes('closed with 1006')) throw error
    })
    if (!client) continue
    const answered = client.request('rpc.ping').then(() => 'open' as const)
    const outcome = await Promise.race([answered, client.closed])
    if (outcome === 'open') return client
    answered.catch(() => undefined)
    if (outcome.code !== 1006) throw new Error(`closed with ${outcome.code} ${outcome.reason}`)
  }
}

/** An array whose length the compiler knows where it knows `N`. */
type ArrayOf<T, N extends number, Some extends T[] = []> = number extends N
  ? T[]
  : Some['length'] extends N
    ? Some
    : ArrayOf<T, N, [...Some, T]>

/** New players: `const [ada, ben] = await newcomers(rally, 2)`. */
export async function newcomers<N extends number>(rally: Pick<Rally, 'url'>, count: N): Promise<ArrayOf<Newcomer, N>> {
  const all: Newcomer[] = []
  // A few at a time: each costs the server several queries.
  while (all.length < count) {
    const some = Math.min(8, count - all.length)
    all.push(...(await Promise.all(Array.from({ length: some }, () => newcomer(rally)))))
  }
  // The loop made `count` of them.
  return all as ArrayOf<Newcomer, N>
}
