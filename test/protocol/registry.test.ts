import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'

import { createRegistry } from '../../src/rpc/registry.ts'
import { method } from '../support/loopback.ts'

const nothing = z.object({})
const named = (name: string, ...methods: string[]) => {
  const one = method({
    summary: 'Does nothing.',
    access: 'user',
    effect: 'read',
    input: nothing,
    output: nothing,
    handle: () => ({}),
  })
  return module({ name, methods: Object.fromEntries(methods.map((each) => [each, one])), subscriptions: {} })
}

test('holds every definition under its wire name', () => {
  const entries = createRegistry([named('things', 'get', 'onThing2'), named('more', 'get')])
  expect([...entries.keys()]).toEqual(['things.get', 'things.onThing2', 'more.get'])
})

test.each([
  ['Things', 'get'],
  ['things', 'Get'],
  ['my-things', 'get'],
  ['things', 'get one'],
  ['things', 'get.one'],
  ['', 'get'],
  ['things', ''],
  ['things', '2get'],
  ['things', 'g'.repeat(33)],
  ['t'.repeat(33), 'get'],
])('no envelope can carry %s.%s', (name, type) => {
  expect(() => createRegistry([named(name, type)])).toThrow(`${name}.${type}`)
})

test('two definitions do not share a name', () => {
  expect(() => createRegistry([named('things', 'get'), named('things', 'get')])).toThrow('Two definitions')
})
