import { z } from 'zod'
import { fileRoute, method, route } from '../../src/modules/define.ts'

const rank = method({
  summary: 'Ranks a score.',
  access: 'user',
  effect: 'read',
  input: z.object({ gameMode: z.string().optional(), score: z.number() }),
  output: z.object({ rank: z.number() }),
  handle: () => ({ rank: 1 }),
})
const shared = {
  method: 'GET',
  summary: 'Ranks a score.',
  calls: rank,
  output: z.object({ rank: z.number() }),
} as const

/** Checked by the compiler alone: a line marked as an error that compiles fails `tsc -p test`. */
export function types(): void {
  route({
    ...shared,
    path: '/api/rank/{score}/{mode}',
    query: z.object({ limit: z.coerce.number() }),
    input: ({ params, query: { limit } }) => ({ score: Number(params.score) + limit, gameMode: params.mode }),
    answer: ({ rank }, { params }) => ({ rank: rank + params.score.length }),
  })
  route({
    ...shared,
    path: '/api/rank/{score}',
    // @ts-expect-error the path has no such segment
    input: ({ params }) => ({ score: Number(params.mode) }),
    answer: ({ rank }) => ({ rank }),
  })
  route({
    ...shared,
    path: '/api/rank',
    // @ts-expect-error the method takes a number
    input: () => ({ score: 'high' }),
    answer: ({ rank }) => ({ rank }),
  })
  route({
    ...shared,
    path: '/api/rank',
    input: () => ({ score: 1 }),
    // @ts-expect-error the answer is what `output` says
    answer: ({ rank }) => ({ place: rank }),
  })
  fileRoute({
    path: '/avatars/{username}',
    summary: 'Draws an avatar.',
    limit: { points: 600, perSeconds: 60 },
    contentTypes: ['image/svg+xml'],
    serve: ({ ctx, params }) => ({ headers: {}, body: `${params.username} ${ctx.user?.username}` }),
  })
}
