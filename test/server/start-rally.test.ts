import { expect, test } from 'vitest'
import { pong } from '../../src/games/pong/index.ts'
import { modules, startRally } from '../../src/rally.ts'

test.each([
  ['a game', { games: { tennis: pong } }, 'The game "pong" is given under the name "tennis"'],
  ['a module', { modules: { ...modules, login: modules.auth } }, 'The module "auth" is given under the name "login"'],
  ['a configuration that is out of range', { config: { production: true, port: 70_000 } }, 'PORT'],
])('a program is told of %s that cannot be', async (_, options, message) => {
  await expect(startRally({ environment: {}, ...options })).rejects.toThrow(message)
})
