import { createMemoryBus } from '../../src/bus/memory.ts'
import { readConfig } from '../../src/config.ts'
import { module } from '../../src/modules/define.ts'
import { Dispatcher, definers, Hub } from '../../src/rpc/index.ts'
import { createServer } from '../../src/server/server.ts'
import { report } from '../support/child.ts'
import { answer, Input, Output } from './method.ts'

// Rally's own transport, dispatcher and limits, as in production, around one method.
const { method } = definers<object>()
const plenty = '10000000'
const config = {
  ...readConfig({
    DATA_DIR: process.env.BENCH_DATA_DIR,
    PORT: '0',
    LIMIT_REQUESTS_PER_SECOND: plenty,
    LIMIT_REQUESTS_BURST: plenty,
    LIMIT_BYTES_PER_SECOND: '1000000000',
    LIMIT_BYTES_BURST: '1000000000',
    LIMIT_UPGRADES_BURST: plenty,
    LIMIT_SOCKETS_PER_IP: plenty,
  }),
  production: true,
}
const bus = createMemoryBus((error) => process.stderr.write(`${String(error)}\n`))
const hub = new Hub({ bus, limits: config.limits })
const write = (details: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`)
const log = { error: write, info: write }
const dispatcher = new Dispatcher<object, never>({
  modules: [
    module({
      name: 'bench',
      methods: {
        say: method({
          summary: 'Says something in a room.',
          access: 'anyone',
          effect: 'read',
          limit: { points: 1_000_000_000, perSeconds: 60 },
          input: Input,
          output: Output,
          handle: ({ input }) => answer(input),
        }),
      },
      subscriptions: {},
    }),
  ],
  limits: config.limits,
  hub,
  once: { recall: () => undefined, run: () => Promise.reject(new Error('there are no writes here')) },
  createContext: () => ({}),
  checkOutput: false,
  translateError: () => undefined,
  log,
})
const nobody = async () => null
const server = createServer({
  config: { ...config, host: '127.0.0.1' },
  dispatcher,
  hub,
  gate: {
    resume: nobody,
    extend: nobody,
    redeem: () => Promise.reject(new Error('nobody signs in here')),
    end: async () => undefined,
  },
  database: { ping: async () => undefined },
  bus: { ping: async () => undefined },
  log,
  node: 'bench',
  version: '0',
  webDir: 'web/dist',
})
report((await server.listen()).port)
