import { expect, test } from 'vitest'
import { z } from 'zod'
import { breakingChanges } from '../../scripts/docs/breaking-changes.ts'
import { currentContract } from '../../scripts/docs/pages.ts'
import { type Contract, describeContract } from '../../src/documents/index.ts'
import { method, module, route, subscription } from '../../src/modules/define.ts'
import { channel } from '../../src/rpc/index.ts'

/** A contract of one method, one stream and one address, as it was before. */
function contractOf(
  changes: { input?: z.ZodType; output?: z.ZodType; event?: z.ZodType; more?: object } = {},
): Contract {
  const get = method({
    summary: 'Gets a thing.',
    access: 'anyone',
    effect: 'read',
    limit: { points: 1, perSeconds: 1 },
    input: changes.input ?? input,
    output: changes.output ?? output,
    errors: ['NOT_FOUND'],
    handle: () => ({}),
    ...changes.more,
  })
  const onThing = subscription({
    summary: 'Follows a thing.',
    access: 'user',
    delivery: 'latest',
    input: z.object({}),
    event: changes.event ?? event,
    open: () => ({ channel: channel('t.onThing'), seq: 0, snapshot: {} }),
  })
  const address = route({
    method: 'GET',
    path: '/api/thing',
    summary: 'Gets a thing.',
    calls: get,
    input: () => ({}),
    output: z.object({ thing_name: z.string() }),
    answer: () => ({ thing_name: '' }),
  })
  return describeContract([module({ name: 't', methods: { get }, subscriptions: { onThing }, routes: [address] })])
}

const fields = { id: z.string().max(40), kind: z.enum(['a', 'b']).optional(), n: z.number().int() }
const input = z.object(fields)
const thing = { id: z.string(), size: z.number(), note: z.string().optional() }
const output = z.object(thing)
const chat = z.object({ kind: z.literal('chat'), text: z.string() })
const move = z.object({ kind: z.literal('move'), to: z.number() })
const event = z.discriminatedUnion('kind', [chat, move])
const before = contractOf()
const broken = (changes: Parameters<typeof contractOf>[0]) => breakingChanges(before, contractOf(changes))

test('a field of an answer that is renamed anywhere in the real contract is found', () => {
  const now = currentContract()
  const renamed: Contract = JSON.parse(JSON.stringify(now).replaceAll('"joinUrl"', '"joinURL"'))
  const found = breakingChanges(now, renamed)
  expect(found).toContain('matches.join output.joinUrl: was removed')
  expect(found).toContain('matches.onUpdate event.joinUrl: was removed')
  expect(found).toContain('matches.list output.items[].joinUrl: was removed')
  expect(breakingChanges(now, now)).toEqual([])
})

test.for<[string, Parameters<typeof contractOf>[0], string[]]>([
  ['a new required input', { input: z.object({ ...fields, to: z.string() }) }, ['t.get input.to: is new and required']],
  [
    'an input that becomes required',
    { input: z.object({ ...fields, kind: fields.kind.unwrap() }) },
    ['t.get input.kind: is required now'],
  ],
  ['an input that is gone', { input: input.omit({ n: true }) }, ['t.get input.n: was removed']],
  [
    'a shorter input',
    { input: z.object({ ...fields, id: z.string().max(20) }) },
    ['t.get input.id: has maxLength 20 now'],
  ],
  [
    'an input of another type',
    { input: z.object({ ...fields, n: z.string() }) },
    ['t.get input.n: is string, not integer'],
  ],
  [
    'fewer values of an input',
    { input: z.object({ ...fields, kind: z.enum(['a']).optional() }) },
    ['t.get input.kind: does not take "b" any more'],
  ],
  [
    'an input that refuses more fields',
    { input: z.strictObject(fields) },
    ['t.get input: refuses fields that it does not know now'],
  ],
  ['an answer without a field', { output: output.omit({ size: true }) }, ['t.get output.size: was removed']],
  ['a field that may be absent', { output: output.partial({ size: true }) }, ['t.get output.size: may be absent now']],
  [
    'a field that may be null',
    { output: z.object({ ...thing, size: z.number().nullable() }) },
    ['t.get output.size: may be null now'],
  ],
  [
    'a field of another type',
    { output: z.object({ ...thing, size: z.string() }) },
    ['t.get output.size: is string, not number'],
  ],
  [
    'a renamed field of one kind of event',
    { event: z.discriminatedUnion('kind', [z.object({ kind: z.literal('chat'), body: z.string() }), move]) },
    ['t.onThing snapshot (chat).text: was removed', 't.onThing event (chat).text: was removed'],
  ],
  ['an error that is gone', { more: { errors: [] } }, ['t.get: has no error NOT_FOUND any more']],
  ['a smaller audience', { more: { access: 'user' } }, ['t.get: is for user now']],
  ['another scope', { more: { scope: 'play' } }, ['t.get: needs the scope play, not read']],
  ['another effect', { more: { effect: 'write', scope: 'read' } }, ['t.get: has the effect write, not read']],
])('%s breaks clients', ([, changes, lines]) => {
  expect(broken(changes)).toEqual(lines)
})

test('what is gone breaks clients', () => {
  const nothing: Contract = { methods: {}, subscriptions: {}, routes: {} }
  expect(breakingChanges(before, nothing)).toEqual([
    't.get: was removed',
    't.onThing: was removed',
    'GET /api/thing: was removed',
  ])
  expect(breakingChanges(nothing, before)).toEqual([])
})

test.for<[string, Parameters<typeof contractOf>[0]]>([
  ['an optional input', { input: z.object({ ...fields, to: z.string().optional() }) }],
  ['a longer input', { input: z.object({ ...fields, id: z.string().max(80) }) }],
  ['more values of an input', { input: z.object({ ...fields, kind: z.enum(['a', 'b', 'c']).optional() }) }],
  ['an input that any number does for', { input: z.object({ ...fields, n: z.number() }) }],
  ['one more way to ask', { input: z.union([input, z.object({ code: z.string() })]) }],
  ['one more field of an answer', { output: z.object({ ...thing, more: z.string() }) }],
  ['a field that is always there', { output: output.required() }],
  [
    'one more kind of event',
    { event: z.discriminatedUnion('kind', [chat, move, z.object({ kind: z.literal('end') })]) },
  ],
  ['one more error', { more: { errors: ['NOT_FOUND', 'BUSY'] } }],
])('%s breaks nobody', ([, changes]) => {
  expect(broken(changes)).toEqual([])
})
