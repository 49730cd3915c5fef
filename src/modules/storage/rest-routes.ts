import { z } from 'zod'
import { route } from '../define.ts'
import { get } from './methods/get.ts'
import { put } from './methods/put.ts'
import { remove } from './methods/remove.ts'

// Save games of clients of other servers. A save is the body as it was sent, under the key `save_game/<name>` of the caller.

const keyOf = (name: string): string => `save_game/${name}`

const SaveGame = z.record(z.string(), z.unknown())

/** `name`, else `player_name`, else `default`. */
function nameOf(body: z.infer<typeof SaveGame>): string {
  const name = [body.name, body.player_name].find((each) => typeof each === 'string' && each.trim() !== '')
  return typeof name === 'string' ? name.trim() : 'default'
}

/** A time as ISO 8601, in UTC. */
const time = (ms: number): string => new Date(ms).toISOString()

export const saveGameRoutes = [
  route({
    method: 'POST',
    path: '/api/save_game',
    summary: 'Stores a save game of the caller: all fields of the body, by its `name`.',
    calls: put,
    body: SaveGame,
    input: ({ body }) => ({ key: keyOf(nameOf(body)), value: body }),
    output: z.object({ name: z.string(), bytes: z.number(), created_at: z.string(), updated_at: z.string() }),
    answer: ({ bytes, createdAt, updatedAt }, { body }) => ({
      name: nameOf(body),
      bytes,
      created_at: time(createdAt),
      updated_at: time(updatedAt),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/load_game/{name}',
    summary:
      'Answers a save game of the caller as it was sent, with `name`, `created_at` and `updated_at` where it had none.',
    calls: get,
    input: ({ params }) => ({ key: keyOf(params.name) }),
    output: SaveGame,
    answer: ({ value, createdAt, updatedAt }, { params }) => ({
      name: params.name,
      created_at: time(createdAt),
      updated_at: time(updatedAt),
      ...SaveGame.safeParse(value).data,
    }),
  }),
  route({
    method: 'DELETE',
    path: '/api/save_game/{name}',
    summary: 'Deletes a save game of the caller.',
    calls: remove,
    input: ({ params }) => ({ key: keyOf(params.name) }),
    output: z.object({ name: z.string() }),
    answer: (_, { params }) => ({ name: params.name }),
  }),
]
