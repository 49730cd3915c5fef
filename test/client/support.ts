import { test as base, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type ClientOptions, createClient, type Rally, type StreamInfo } from '../../src/client/index.ts'
import { FakeServer, type FakeServerOptions } from './fake-server.ts'

export type Named = { readonly name: string }

/** Every kind of definition that the tests use; what a server's `Api` would be. */
export type TestApi = {
  readonly things: {
    readonly get: { kind: 'method'; input: { id: string }; output: { name: string }; errors: 'NOT_FOUND' }
    readonly list: { kind: 'method'; input: { limit?: number }; output: { items: string[] }; errors: never }
    readonly put: { kind: 'method'; input: { name: string }; output: { id: string }; errors: 'FULL' }
    readonly onThing: {
      kind: 'subscription'
      input: { id: string }
      snapshot: Named
      event: Named
      errors: 'NOT_FOUND'
    }
    readonly onLog: {
      kind: 'subscription'
      input: { room: string }
      snapshot: { lines: string[] }
      event: { line: string }
      errors: never
    }
  }
  readonly live: {
    readonly input: { kind: 'method'; input: { move: number }; output: Record<string, never>; errors: 'NOT_LIVE' }
  }
}

export async function startServer(options?: FakeServerOptions): Promise<FakeServer> {
  const server = await FakeServer.start(options)
  onTestFinished(() => server.close())
  return server
}

/** A client with short waits, closed when the test ends. */
export function connect(server: FakeServer, options: ClientOptions = {}): Rally<TestApi> {
  const rally = createClient<TestApi>({
    url: server.url,
    WebSocket,
    backoff: { minMs: 5, maxMs: 20 },
    ...options,
  })
  onTestFinished(() => rally.close())
  return rally
}

/** `test` with a server that does what it is told to, and a client of it that knows nobody yet. */
export const test = base.extend('server', () => startServer()).extend('rally', ({ server }) => connect(server))

/** Resolves with the next value of an event of the client. */
export function once<Name extends 'status' | 'user' | 'welcome' | 'frame' | 'refused' | 'error'>(
  rally: Rally<TestApi>,
  name: Name,
) {
  return new Promise<Parameters<Parameters<typeof rally.on<Name>>[1]>[0]>((resolve) => {
    const stop = rally.on(name, (value) => {
      stop()
      resolve(value)
    })
  })
}

/** Resolves when the client is in `status`. */
export async function until(rally: Rally<TestApi>, status: string): Promise<void> {
  while (rally.status !== status) await once(rally, 'status')
}

/** A listener that keeps what it is given, and can be waited on. */
export function recorder<Value>() {
  const values: { value: Value; info: StreamInfo }[] = []
  const errors: string[] = []
  const ends: string[] = []
  const healed: string[] = []
  let wake = () => {}
  const changed = () => wake()
  return {
    values,
    errors,
    ends,
    healed,
    listener: {
      next(value: Value, info: StreamInfo) {
        values.push({ value, info })
        changed()
      },
      error(error: { code: string }) {
        errors.push(error.code)
        changed()
      },
      end(reason: string) {
        ends.push(reason)
        changed()
      },
      healed(how: { kind: string }) {
        healed.push(how.kind)
        changed()
      },
    },
    /** The `kind:seq` of all values so far. */
    get seen(): string[] {
      return values.map(({ info }) => `${info.kind}:${info.seq}`)
    },
    /** Resolves once `done` holds; looked at after everything that the listener is told. */
    async until(done: () => boolean): Promise<void> {
      while (!done()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    count(length: number): Promise<void> {
      return this.until(() => values.length >= length)
    },
  }
}

/** The channel of `things.onThing { id: '1' }`. */
export const CHANNEL = 'things.onThing/1'

/** Opens every `things.onThing` at `place.seq`, as a state stream does. */
export function serveState(server: FakeServer, delivery: 'reliable' | 'latest' = 'reliable') {
  const place = { seq: 5 }
  server.on('things.onThing', () => ({
    data: { channel: CHANNEL, seq: place.seq, delivery, snapshot: { name: `at ${place.seq}` } },
  }))
  return place
}

/** A thing that is followed, its snapshot given. */
export async function followThing(
  { server, rally }: { readonly server: FakeServer; readonly rally: Rally<TestApi> },
  delivery?: 'reliable' | 'latest',
) {
  const place = serveState(server, delivery)
  const record = recorder<Named>()
  rally.things.onThing({ id: '1' }, record.listener)
  const socket = await server.nextSocket()
  await record.count(1)
  return { place, record, socket }
}
