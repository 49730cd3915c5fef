import { addresses, targets } from './catalogue.ts'
import type { Conversation } from './http-requests.ts'
import { junk, scramble, spoil, write } from './mutate.ts'
import { Pools, plausible } from './plausible.ts'
import type { Random } from './random.ts'

const ODD_SEGMENTS = [
  ...['%', '%00', '%ff%fe', '%2e%2e', '..', '%2F', '%2fetc', '__proto__', '{name}', '%F0%9F%8F%93', '%ed%a0%80'],
  ...['NaN', '1e999', '-1', '9'.repeat(40), 'x'.repeat(2_000), '%41'.repeat(300), 'a;b', 'a+b', '*', '%20', "'--"],
]
const ODD_QUERIES = [
  '%',
  '=',
  '&&&',
  'data',
  'data=%00',
  'data=%ff',
  'data=1&data={}',
  'limit=1e999',
  '__proto__=1',
  '?',
]
const ODD_TOKENS = [
  ...['Authorization: Bearer ', 'Authorization: Bearer', 'Authorization: Basic eDp5', 'X-API-Key: ', 'X-API-Key: x'],
  ...[`X-API-Key: rally_${'A'.repeat(43)}`, `Authorization: Bearer rally_${'-'.repeat(44)}`, 'X-API-Key: rally_\u00e9'],
  ...[`Authorization: Bearer ${'y'.repeat(900)}`, 'Authorization: bearer  rally_x, rally_y', 'Cookie: rally=a.b.c'],
]
const ODD_HEADERS = [
  ...['Origin: https://evil.example', 'Origin: null', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: none'],
  ...['Idempotency-Key: ', 'Idempotency-Key: \u00e9', `Idempotency-Key: ${'k'.repeat(65)}`, 'Idempotency-Key: same'],
]
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'] as const
const UPGRADE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: rally.v1'

/** A call of a method at `/rpc` or at an address of a module, or an upgrade, by a user or with an odd token. Each has an answer. */
export function makeCall(random: Random, identity: string): Conversation {
  const credential = random.chance(0.7) ? identity : random.pick(ODD_TOKENS)
  const odd = random.chance(0.2) ? [random.pick(ODD_HEADERS)] : []
  const draw = random.below(10)
  if (draw === 0) return conversation('upgrade', 'GET', '/ws', [credential, ...odd, UPGRADE])
  if (draw < 6) return rpc(random, [credential, ...odd])
  return moduleAddress(random, [credential, ...odd])
}

function rpc(random: Random, headers: readonly (string | undefined)[]): Conversation {
  const { type, input } = random.pick(targets) ?? { type: 'rpc.ping', input: {} }
  const text = body(random, input)
  const method = random.chance(0.9) ? random.pick(['GET', 'POST', 'POST']) : random.pick(METHODS)
  const path = `/rpc/${random.chance(0.9) ? type : `${type}${random.pick(ODD_SEGMENTS)}`}`
  const query = random.chance(0.9) ? `data=${percent(text)}` : random.pick(ODD_QUERIES)
  if (method === 'POST') return conversation('rpc', method, path, headers, text)
  return conversation('rpc', method ?? 'GET', `${path}?${query}`, headers)
}

function moduleAddress(random: Random, headers: readonly (string | undefined)[]): Conversation {
  const { method, path, body: shape } = random.pick(addresses) ?? { method: 'GET', path: '/', body: {} }
  const segment = () => (random.chance(0.5) ? random.pick(['fuzz_0', '100', 'default']) : random.pick(ODD_SEGMENTS))
  const filled = path.replaceAll(/\{\w+\}/g, () => segment() ?? '')
  const query = random.chance(0.3) ? `?${random.pick(ODD_QUERIES)}` : ''
  const sent = method === 'POST' ? body(random, shape) : undefined
  return conversation('address', method, `${filled}${query}`, headers, sent)
}

/** JSON that fits, that does not, or that is none. */
function body(random: Random, shape: unknown): string {
  const data = plausible(shape, random, new Pools())
  const draw = random.below(10)
  if (draw < 5) return write(data)
  if (draw < 8) return write(spoil(data, random))
  return draw < 9 ? write(junk(random)) : scramble(write(data), random)
}

function percent(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^\w.~-]/g, (byte) => {
      return `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
    })
}

function conversation(
  kind: string,
  method: string,
  path: string,
  headers: readonly (string | undefined)[],
  sent?: string,
): Conversation {
  const text = Buffer.from(sent ?? '')
  const lines = headers.filter((line) => line !== undefined)
  if (sent !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${text.length}`)
  const head = [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), text])
  return { kind, bytes, minResponses: 1, maxResponses: 1 }
}
