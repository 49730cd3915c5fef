import SwaggerParser from '@apidevtools/swagger-parser'
import { Parser } from '@asyncapi/parser'
import { expect, test } from 'vitest'
import { createAsyncApi, createDocuments, createOpenApi, describeContract } from '../../src/documents/index.ts'
import { modules } from '../../src/modules/index.ts'
import { statusOf } from '../../src/server/http-status.ts'
import { startRig } from '../support/rig.ts'
import { routed } from '../support/routed-module.ts'

const everyModule = [...Object.values(modules), routed]
const contract = describeContract(everyModule)
const options = { version: '1.2.3', publicUrl: 'https://play.example', sessionCookie: '__Host-rally', statusOf }
const openApi = createOpenApi(contract, options)
const asyncApi = createAsyncApi(contract, options)

test('/openapi.json is OpenAPI 3.1 to the standard parser', async () => {
  // It changes what it is given.
  const read = await SwaggerParser.validate(structuredClone(openApi) as never)
  expect(read).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
  await expect(SwaggerParser.validate({ ...structuredClone(openApi), paths: { x: 1 } } as never)).rejects.toThrow()
})

// Its recommendations are not part of the standard.
const asyncApiParser = new Parser({ ruleset: { recommended: false } })

/** What the standard parser has against a document. */
async function faultsOf(document: object): Promise<string[]> {
  const { diagnostics } = await asyncApiParser.parse(JSON.stringify(document))
  return diagnostics
    .filter(({ severity }) => severity === 0)
    .map(({ message, path }) => `${path.join('.')}: ${message}`)
}

// The parser repeats all messages of a channel in each operation: the whole document takes it the square of its size.
const parts = everyModule.map((module) => createAsyncApi(describeContract([module]), options))

test.for(everyModule.map(({ name }, at) => [name, at] as const))(
  'the part of %s in /asyncapi.json is AsyncAPI 3.0 to the standard parser',
  async ([, at]) => {
    expect(await faultsOf(parts[at] ?? {})).toEqual([])
  },
)

test('the parts of all modules together are /asyncapi.json, and a fault in it is found', async () => {
  const together = {
    ...asyncApi,
    channels: {
      socket: {
        ...asyncApi.channels.socket,
        messages: Object.assign({}, ...parts.map(({ channels }) => channels.socket.messages)),
      },
    },
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)),
    components: { schemas: Object.assign({}, ...parts.map(({ components }) => components.schemas)) },
  }
  expect(asyncApi).toEqual(together)
  expect(await faultsOf({ ...parts[0], operations: { x: { action: 'wave' } } })).not.toEqual([])
})

test('every method and subscription is in a document: what HTTP can do in one, all of the socket in the other', () => {
  for (const [type, { effect }] of Object.entries(contract.methods)) {
    expect(asyncApi.operations, type).toHaveProperty([type, 'action'], 'receive')
    const path = openApi.paths[`/rpc/${type}`]
    expect(Object.keys(path ?? {}), type).toEqual({ read: ['post', 'get'], write: ['post'], input: [] }[effect])
  }
  for (const type of Object.keys(contract.subscriptions)) {
    expect(asyncApi.operations).toHaveProperty([type, 'action'], 'receive')
    expect(asyncApi.operations).toHaveProperty([`${type}.events`, 'action'], 'send')
  }
  expect(Object.keys(contract.methods).length).toBeGreaterThan(50)
})

test('an operation says what it takes and answers, who may, how often, and its errors by status', () => {
  const join = openApi.paths['/rpc/matches.join']?.post
  expect(join).toMatchObject({
    operationId: 'matches.join',
    summary: modules.matches.methods.join.summary,
    description: 'For users. A token needs the scope `play`. At most 60 calls in 60 s.',
    security: [{ cookie: [] }, { bearer: [] }, { apiKey: [] }],
    parameters: [{ name: 'Idempotency-Key', in: 'header' }],
    requestBody: { content: { 'application/json': { schema: { anyOf: expect.any(Array) } } } },
    responses: {
      200: { content: { 'application/json': { schema: { properties: { joinUrl: { type: 'string' } } } } } },
      409: { description: '`MATCH_CLOSED`, `MATCH_FULL`, `TOO_MANY_MATCHES`' },
    },
  })
  const add = openApi.paths['/api/scores/{player}']
  expect(add).toMatchObject({
    post: { parameters: [{ name: 'player', in: 'path' }, { name: 'Idempotency-Key' }], responses: { 201: {} } },
    get: { operationId: 'GET_api_scores_player_' },
  })
  expect(openApi.paths['/pictures/{name}']?.get).toMatchObject({
    responses: { 200: { content: { 'image/svg+xml': {} } } },
  })
  const { messages } = asyncApi.channels.socket
  expect(messages['matches.onUpdate.request']).toMatchObject({
    payload: { properties: { data: { properties: { matchId: { type: 'string' }, since: { type: 'integer' } } } } },
  })
})

test('a server shows its documents to tools of every site, and sends them once', async () => {
  const { '/openapi.json': make } = createDocuments([routed], options)
  let made = 0
  const documents = { '/openapi.json': () => `${make().slice(0, -1)},"x-made":${++made}}` }
  await using rig = await startRig({ server: { documents } })
  const get = (headers = {}) => fetch(`${rig.url}/openapi.json`, { headers })
  const answer = await get()
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  expect(await answer.json()).toMatchObject({ openapi: '3.1.0', 'x-made': 1 })
  expect(await (await get()).json()).toMatchObject({ 'x-made': 1 })
  expect((await get({ 'If-None-Match': answer.headers.get('etag') ?? '' })).status).toBe(304)
})
