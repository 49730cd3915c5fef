import { z } from 'zod'
import { definers, type Module, RpcError, routeDefiners } from '../../src/rpc/index.ts'
import type { RigContext } from './rig-module.ts'

const { method } = definers<RigContext>()
const { route, fileRoute } = routeDefiners<RigContext>()

const add = method({
  summary: 'Adds a score of a player.',
  access: 'user',
  effect: 'write',
  limit: { points: 1000, perSeconds: 60 },
  httpBodyBytes: 100_000,
  input: z.object({ player: z.string(), gameMode: z.string().max(10), note: z.string().optional() }),
  output: z.object({ id: z.number(), gameMode: z.string() }),
  errors: ['NOT_FOUND', 'SCORE_CLOSED'],
  handle: ({ ctx, input, fail }) => {
    if (input.player === 'nobody') throw fail('NOT_FOUND')
    if (input.player === 'closed') throw fail('SCORE_CLOSED')
    return { id: ctx.user.username.length, gameMode: input.gameMode }
  },
})
const top = method({
  summary: 'Lists the best scores.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 1000, perSeconds: 60 },
  input: z.object({ limit: z.number().int().max(3), player: z.string().optional() }),
  output: z.object({ items: z.array(z.string()) }),
  handle: ({ input }) => ({ items: Array.from({ length: input.limit }, (_, at) => `${input.player ?? 'all'} ${at}`) }),
})

/** Methods with addresses besides `/rpc`, in the names of another protocol. */
export const routed: Module = {
  name: 'routed',
  methods: { add, top },
  subscriptions: {},
  routes: [
    route({
      method: 'POST',
      path: '/api/scores/{player}',
      summary: 'Adds a score.',
      calls: add,
      body: z.object({ game_mode: z.string().default('classic'), note: z.string().optional() }),
      input: ({ params: { player }, body: { game_mode: gameMode, note } }) => ({ player, gameMode, note }),
      status: 201,
      output: z.object({ id: z.number(), game_mode: z.string(), player: z.string() }),
      answer: ({ id, gameMode }, { params: { player } }) => ({ id, game_mode: gameMode, player }),
    }),
    route({
      method: 'GET',
      path: '/api/scores/top',
      summary: 'Lists the best scores.',
      calls: top,
      query: z.object({ limit: z.coerce.number().default(1) }),
      input: ({ query }) => query,
      output: z.array(z.string()),
      answer: ({ items }) => items,
    }),
    route({
      method: 'GET',
      path: '/api/scores/{player}',
      summary: 'Lists the best scores of a player.',
      calls: top,
      input: ({ params: { player } }) => ({ limit: 1, player }),
      output: z.array(z.string()),
      answer: ({ items }) => items,
    }),
    fileRoute({
      path: '/pictures/{name}',
      summary: 'Draws a name.',
      limit: { points: 40, perSeconds: 3600 },
      contentTypes: ['image/svg+xml'],
      async serve({ params: { name } }) {
        await new Promise(setImmediate)
        if (name === 'nobody') throw new RpcError('NOT_FOUND', 'There is no such picture')
        if (name === 'broken') throw new Error('the password is hunter2')
        return { headers: { 'Content-Type': 'image/svg+xml', ETag: `"${name}"` }, body: `<svg>${name}</svg>` }
      },
    }),
  ],
}
