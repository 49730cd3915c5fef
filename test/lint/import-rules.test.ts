import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkImports, importCycles, packages, rules, sources } from '../../scripts/import-rules.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const messages = (file: string, source: string) => checkImports(file, source).map(({ message }) => message)

describe('a layer refuses', () => {
  test.each([
    ['src/protocol/x.ts', `import { readFileSync } from 'node:fs'`, 'may not import the package node:fs'],
    ['src/protocol/x.ts', `import { Hub } from '../rpc/index.ts'`, 'may not import src/rpc/index.ts'],
    ['src/games/pong/x.ts', `import type { Limits } from '../../protocol/index.ts'`, 'may not import src/protocol/'],
    ['src/games/pong/x.ts', `import { randomInt } from 'node:crypto'`, 'may not import the package node:crypto'],
    ['src/rpc/x.ts', `import { createMemoryBus } from '../bus/memory.ts'`, 'may not import src/bus/memory.ts'],
    ['src/rpc/x.ts', `import { type Bus } from '../bus/bus.ts'`, 'with `import type` alone'],
    ['src/rpc/x.ts', `import { performance } from 'node:perf_hooks'`, 'may not import the package node:perf_hooks'],
    ['src/rpc/x.ts', `import { App } from 'uWebSockets.js'`, 'may not import the package uWebSockets.js'],
    ['src/engine/x.ts', `import { Hub } from '../rpc/index.ts'`, 'may not import src/rpc/index.ts'],
    ['src/engine/x.ts', `import { createDatabase } from '../db/database.ts'`, 'with `import type` alone'],
    ['src/server/x.ts', `import type { Db } from '../db/database.ts'`, 'may not import src/db/database.ts'],
    ['src/server/x.ts', `import { auth } from '../modules/auth/index.ts'`, 'may not import src/modules/auth/index.ts'],
    ['src/server/x.ts', `import { readConfig } from '../config.ts'`, 'with `import type` alone'],
    ['src/bus/x.ts', `import type { Hub } from '../rpc/stream-hub.ts'`, 'may not import src/rpc/stream-hub.ts'],
    ['src/db/x.ts', `import { z } from '../modules/wire.ts'`, 'may not import src/modules/wire.ts'],
    ['src/config.ts', `import pg from 'pg'`, 'may not import the package pg'],
    ['src/main.ts', `import { createServer } from './server/server.ts'`, 'may not import src/server/server.ts'],
  ])('%s: %s', (file, source, expected) => {
    expect(messages(file, source)).toEqual([expect.stringContaining(expected)])
  })
})

describe('a module refuses', () => {
  test.each([
    ['src/modules/live/x.ts', `import { matchStore } from '../matches/store.ts'`, 'src/modules/matches/store.ts'],
    ['src/modules/live/methods/x.ts', `import { a } from '../../matches/methods/join.ts'`, 'matches/methods/join.ts'],
    ['src/modules/live/x.ts', `import { modules } from '../index.ts'`, 'may not import src/modules/index.ts'],
    ['src/modules/live/x.ts', `import { Hub } from '../../rpc/stream-hub.ts'`, 'may not import src/rpc/stream-hub.ts'],
    ['src/modules/live/x.ts', `import { Clock } from '../../engine/clock.ts'`, 'may not import src/engine/clock.ts'],
    ['src/modules/live/x.ts', `import { createServer } from '../../server/server.ts'`, 'src/server/server.ts'],
    ['src/modules/live/x.ts', `import { PrismaClient } from '../../db/generated/client.ts'`, '`import type` alone'],
    ['src/modules/live/x.ts', `import { PrismaClient } from '@prisma/client'`, 'the package @prisma/client'],
    ['src/modules/live/x.ts', `import { games } from '../../games/index.ts'`, 'src/games/index.ts'],
    ['src/modules/live/x.ts', `import pg from 'pg'`, 'may not import the package pg'],
    ['src/modules/live/x.ts', `import { createClient } from 'redis'`, 'may not import the package redis'],
    ['src/modules/live/x.ts', `import { create } from 'qrcode'`, 'may not import the package qrcode'],
    ['src/modules/live/types.ts', `import { LiveService } from './service.ts'`, 'src/modules/live/service.ts'],
    ['src/modules/live/types.ts', `import { randomUUID } from 'node:crypto'`, 'may not import the package node:crypto'],
    ['src/modules/wire.ts', `import { randomUUID } from 'node:crypto'`, 'may not import the package node:crypto'],
  ])('%s: %s', (file, source, expected) => {
    expect(messages(file, source)).toEqual([expect.stringContaining(expected)])
  })
})

describe('what a browser runs refuses', () => {
  test.each([
    ['src/client/x.ts', `import { z } from 'zod'`, 'may not import the package zod'],
    [
      'src/client/x.ts',
      `import type { User } from '../modules/auth/types.ts'`,
      'may not import src/modules/auth/types.ts',
    ],
    ['src/client/x.ts', `import type { Api } from '../modules/index.ts'`, 'may not import src/modules/index.ts'],
    ['src/client/x.ts', `import { randomUUID } from 'node:crypto'`, 'may not import the package node:crypto'],
    ['web/src/x.tsx', `import { modules } from '../../src/modules/index.ts'`, 'with `import type` alone'],
    ['web/src/x.tsx', `import type { Config } from '../../src/config.ts'`, 'may not import src/config.ts'],
    ['web/src/x.tsx', `import { Hub } from '../../src/rpc/index.ts'`, 'may not import src/rpc/index.ts'],
    ['web/src/pages/x.tsx', `import { closeCodes } from '../../../src/protocol/index.ts'`, 'src/protocol/index.ts'],
  ])('%s: %s', (file, source, expected) => {
    expect(messages(file, source)).toEqual([expect.stringContaining(expected)])
  })
})

test.each([
  ['an export', `export { createDatabase } from '../db/database.ts'`],
  ['an export of all', `export * from '../db/database.ts'`],
  ['an import for its effect', `import '../db/database.ts'`],
  ['an import at run time', `const db = await import('../db/database.ts')`],
  ['an import that names a type of a module', `type Db = import('../db/database.ts').Db`],
  ['an import with a type among values', `import { type Db } from '../db/database.ts'`],
  ['a path through the own folder', `import { createDatabase } from './../rpc/../db/database.ts'`],
])('sees %s', (_, source) => {
  expect(messages('src/rpc/x.ts', source)).toEqual(['may not import src/db/database.ts'])
})

test('ignores comments and strings', () => {
  const source = `// import '../db/database.ts'\nconst text = "import { a } from '../db/database.ts'"`
  expect(checkImports('src/rpc/x.ts', source)).toEqual([])
})

test('refuses an import whose path is only known at run time', () => {
  expect(messages('src/rpc/x.ts', 'await import(path)')).toEqual(['the path of an import has to be a plain string'])
})

test('names the line', () => {
  expect(checkImports('src/rpc/x.ts', `const a = 1\n\nimport '../db/database.ts'`)).toMatchObject([{ line: 3 }])
})

test('a file that no rule covers is reported', () => {
  expect(messages('src/newcomer/x.ts', '')).toEqual([expect.stringContaining('no rule')])
})

test.each([
  ['src/rpc/x.ts', `import type { Bus } from '../bus/bus.ts'`],
  ['src/engine/x.ts', `import type { Db } from '../db/database.ts'\nimport { games } from '../games/index.ts'`],
  [
    'src/modules/live/x.ts',
    `import { matches } from '../matches/index.ts'\nimport { Match } from '../matches/types.ts'`,
  ],
  ['src/modules/live/methods/x.ts', `import { LiveService } from '../service.ts'\nimport { z } from 'zod'`],
  ['src/modules/auth/x.ts', `import type { SessionGate } from '../../rpc/index.ts'\nimport 'otplib'`],
  ['src/client/x.ts', `import { PROTOCOL } from '../protocol/index.ts'`],
  ['web/src/pages/x.tsx', `import type { Api } from '../../../src/modules/index.ts'\nimport './x.css'\nimport 'react'`],
  ['src/app.ts', `import { createServer } from './server/server.ts'\nimport { randomUUID } from 'node:crypto'`],
])('%s may: %s', (file, source) => {
  expect(checkImports(file, source)).toEqual([])
})

describe('a cycle', () => {
  const files = (...pairs: [string, string][]) => new Map(pairs)

  test('is found, also one of types alone and through a file between', () => {
    const found = importCycles(
      files(
        ['src/rpc/a.ts', `import type { B } from './b.ts'`],
        ['src/rpc/b.ts', `export { c } from './c.ts'`],
        ['src/rpc/c.ts', `type A = import('./a.ts').A`],
        ['src/rpc/d.ts', `import './a.ts'`],
      ),
    )
    expect(found).toEqual([['src/rpc/a.ts', 'src/rpc/b.ts', 'src/rpc/c.ts']])
  })

  test('of a file with itself and of others are told apart', () => {
    const found = importCycles(
      files(
        ['src/rpc/a.ts', `import './a.ts'`],
        ['src/rpc/b.ts', `import './c.ts'`],
        ['src/rpc/c.ts', `import './b.ts'\nimport './a.ts'`],
      ),
    )
    expect(found).toEqual([['src/rpc/a.ts'], ['src/rpc/b.ts', 'src/rpc/c.ts']])
  })

  test('of layers is found where no file is in one', () => {
    const found = importCycles(
      files(
        ['src/rpc/a.ts', `import type { B } from '../db/b.ts'`],
        ['src/rpc/c.ts', ''],
        ['src/db/b.ts', ''],
        ['src/db/d.ts', `import '../rpc/c.ts'`],
      ),
    )
    expect(found).toEqual([['src/db', 'src/rpc']])
  })

  test('is none where two ways lead to one file', () => {
    const found = importCycles(
      files(
        ['src/rpc/a.ts', `import './b.ts'\nimport './c.ts'`],
        ['src/rpc/b.ts', `import './c.ts'`],
        ['src/rpc/c.ts', ''],
      ),
    )
    expect(found).toEqual([])
  })
})

test('the repository keeps the rules', () => {
  const files = new Map(sources(root).map((file) => [file, readFileSync(`${root}/${file}`, 'utf8')]))
  expect(files.size).toBeGreaterThan(100)
  expect([...files].flatMap(([file, source]) => checkImports(file, source))).toEqual([])
  expect(importCycles(files)).toEqual([])
})

test('every area of the tables exists', () => {
  const files = sources(root)
  const areas = [
    ...rules.flatMap(({ area, values = [], types = [] }) => [area, ...values, ...types]),
    ...Object.values(packages).flat(),
  ]
  const unused = areas.filter((area) => {
    const pattern = new RegExp(`^${area.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}`)
    return !files.some((file) => pattern.test(file))
  })
  expect(unused).toEqual([])
})
