import { makeCall } from './http-calls.ts'
import { junk, scramble, write } from './mutate.ts'
import type { Random } from './random.ts'

/** What one connection sends. */
export interface Conversation {
  readonly kind: string
  readonly bytes: Buffer
  /** At most so many responses are right: more would answer what is part of a body. */
  readonly maxResponses: number
  readonly minResponses: number
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'DELETE',
  'OPTIONS',
  'PUT',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PRI',
  'get',
  'M-SEARCH',
]
const ODD_METHODS = ['', 'G\u0000T', 'GET\t', 'X'.repeat(5_000), '🏓', 'GET,POST', '"GET"', 'GET\r']
const PATHS = [
  ...['/', '/session', '/ws', '/healthz', '/readyz', '/metrics', '/index.html', '/assets/none.js', '/match/x'],
  ...[
    '/%',
    '/%00',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/../../etc/passwd',
    '/..%5c..%5cx',
    '/%ff%fe',
    '/a%0d%0aSet-Cookie:x',
  ],
  ...[
    '//healthz',
    '/healthz/',
    '/healthz?x=%',
    '/?'.padEnd(3_000, 'q'),
    '/'.repeat(2_000),
    '/__proto__',
    '/constructor',
  ],
  ...['*', 'http://other.example/healthz', 'healthz', '/\u00e9', '/a b', '/healthz#x', '/;/x', '/%F0%9F%8F%93'],
]
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'HTTP/1', 'http/1.1', 'HTTPS/1.1', '']
const NAMES = [
  ...['Host', 'Cookie', 'Origin', 'User-Agent', 'Content-Type', 'Accept-Encoding', 'If-None-Match', 'Authorization'],
  ...[
    'X-Forwarded-For',
    'Forwarded',
    'X-Real-IP',
    'Range',
    'Expect',
    'Connection',
    'Upgrade',
    'Keep-Alive',
    'TE',
    'Trailer',
  ],
  ...[
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
    'X-HTTP-Method',
    'X-API-Key',
    'Idempotency-Key',
    'Sec-Fetch-Site',
  ],
  ...['__proto__', 'Access-Control-Request-Method', 'HTTP2-Settings', 'Date', 'X'.repeat(200)],
]
const VALUES = [
  ...[
    '',
    ' ',
    'x',
    '*',
    'null',
    'x'.repeat(900),
    '\u0001',
    'é',
    '\u00ff\u00fe',
    'a, b;c="d',
    '1.2.3.4',
    '::1, [::1]:9',
  ],
  ...['::ffff:1.2.3.4', '1.2.3.4, , ,', ','.repeat(500), 'fe80::1%lo', '999.1.1.1', 'unknown', 'https://evil.example'],
  ...['rally=a.b.c', 'rally=a.b.c; rally=d', `rally=${'e'.repeat(1_500)}`, '=;=;;rally', 'Bearer x', 'bytes=0-0,1-1'],
  ...['gzip;q=0, br;q=0, identity;q=0', 'W/"x", *', '100-continue', 'close', 'keep-alive, Upgrade', 'websocket', 'h2c'],
  ...[
    'rally.v1',
    'a,b,c',
    'permessage-deflate; client_max_window_bits',
    'application/json; charset=utf-7',
    'multipart/x',
  ],
]
const HIDDEN = 'GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n'

/** Headers that two servers may read in two ways, so that the hidden request behind them is a body for one of them. */
const AMBIGUOUS: readonly ((length: number) => string)[] = [
  (length) => `Content-Length: ${length}\r\nContent-Length: 0`,
  (length) => `Content-Length: 0\r\nContent-Length: ${length}`,
  (length) => `Content-Length: ${length}, 0`,
  (length) => `Content-Length: 0, ${length}`,
  (length) => `Content-Length: +${length}`,
  (length) => `Content-Length: 0x${length.toString(16)}`,
  (length) => `Content-Length: -${length}`,
  (length) => `Content-Length: ${length}.0`,
  (length) => `Content-Length: ${length}_0`,
  (length) => `Content-Length : ${length}`,
  (length) => `Content-Length\t: ${length}`,
  (length) => ` Content-Length: ${length}`,
  (length) => `Content-Length\u0000: ${length}`,
  (length) => `X: y\r\n Content-Length: ${length}`,
  (length) => `X: y\nContent-Length: ${length}`,
  (length) => `X: y\rContent-Length: ${length}`,
  () => 'Content-Length: 18446744073709551616',
  () => `Content-Length: ${'9'.repeat(40)}`,
  () => 'Content-Length: 0\r\nTransfer-Encoding: chunked',
  (length) => `Transfer-Encoding: chunked\r\nContent-Length: ${length}`,
  () => 'Transfer-Encoding: identity, chunked',
  () => 'Transfer-Encoding: chunked, identity',
  () => 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  () => 'Transfer-Encoding: xchunked',
  () => 'Transfer-Encoding: \u000bchunked',
  () => 'Transfer-Encoding : chunked',
  () => 'Transfer-Encoding:\r\n chunked',
  () => 'tRANSFER-eNCODING: CHUNKED',
  () => 'Transfer-Encoding: gzip',
]
const CHUNK_SIZES = [
  '0',
  '5',
  '+5',
  '-5',
  '0x5',
  '5;x=y',
  '5 ',
  ' 5',
  '',
  'g',
  'FFFFFFFFFFFFFFFF',
  '80000000',
  '5\n',
  '00000005',
]

/** What a client may send on one connection: requests of all kinds, and bytes that are none. `identity` is a header line of a user. */
export function makeConversation(random: Random, identity: string): Conversation {
  if (random.chance(0.3)) return makeCall(random, identity)
  const draw = random.below(100)
  const one = (kind: string, text: string, minResponses = 0): Conversation => {
    return { kind, bytes: Buffer.from(text, 'latin1'), maxResponses: 1, minResponses }
  }
  if (draw < 15) return pipelined(random)
  if (draw < 40) return one('mutated', request(random))
  if (draw < 50)
    return { ...one('scrambled', scramble(request(random), random)), maxResponses: Number.POSITIVE_INFINITY }
  if (draw < 70) return one('smuggling', smuggling(random))
  if (draw < 80) return one('chunked', chunked(random))
  if (draw < 90) return one('ticket', ticket(random), 1)
  if (draw < 95) return one('huge', huge(random))
  const isText = random.chance(0.5)
  const bytes = isText ? Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') : random.bytes(random.below(600))
  return { kind: 'no HTTP/1', bytes, maxResponses: Number.POSITIVE_INFINITY, minResponses: 0 }
}

function pipelined(random: Random): Conversation {
  const count = 1 + random.below(6)
  const paths = ['/healthz', '/', '/nothing.js', '/index.html']
  const each = () => `GET ${random.pick(paths)} HTTP/1.1\r\nHost: x\r\n\r\n`
  const text = Array.from({ length: count }, each).join('')
  return { kind: 'pipelined', bytes: Buffer.from(text), maxResponses: count, minResponses: count }
}

/** A request of which any part may be odd. It has no body. */
function request(random: Random): string {
  const odd = (usual: readonly string[], strange: readonly string[]) =>
    random.pick(random.chance(0.1) ? strange : usual)
  const method = odd(METHODS, ODD_METHODS)
  const version = odd(VERSIONS.slice(0, 1), VERSIONS)
  const headers = Array.from({ length: random.below(12) }, () => `${random.pick(NAMES)}: ${random.pick(VALUES)}\r\n`)
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
  const host = random.chance(0.8) ? 'Host: x\r\n' : ''
  return `${method} ${random.pick(PATHS)} ${version}\r\n${host}${random.chance(0.2) ? upgrade : ''}${headers.join('')}\r\n`
}

function smuggling(random: Random): string {
  const ambiguous = random.pick(AMBIGUOUS)?.(HIDDEN.length) ?? ''
  const start = random.pick(['POST /session', 'GET /healthz', 'DELETE /session', 'POST /ws', 'GET /ws', 'PUT /x'])
  const body = random.chance(0.5) ? HIDDEN : `0\r\n\r\n${HIDDEN}`
  return `${start} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${ambiguous}\r\n\r\n${body}`
}

/** A body in chunks that holds a request, with sizes and ends that may be wrong. */
function chunked(random: Random): string {
  const right = HIDDEN.length.toString(16)
  const size = random.chance(0.4) ? right : (random.pick(CHUNK_SIZES) ?? '')
  const end = random.pick(['\r\n0\r\n\r\n', '\r\n0\r\nX: y\r\n\r\n', '\r\n', '\n0\n\n', ''])
  const start = random.pick(['POST /session', 'POST /healthz'])
  const head = `${start} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  return `${head}${size}\r\n${HIDDEN}${end}`
}

function ticket(random: Random): string {
  const data = random.chance(0.3) ? junk(random) : { token: junk(random) }
  const text = Buffer.from(random.chance(0.3) ? scramble(write(data), random) : write(data))
  const type = random.pick(['application/json', 'application/json;charset=utf-8', 'text/plain', ''])
  const head = `POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n`
  return head + text.toString('latin1')
}

function huge(random: Random): string {
  const many = 'X-Filler: y\r\n'.repeat(random.pick([90, 110, 2_000]))
  const long = `X-Filler: ${'y'.repeat(random.pick([3_000, 5_000, 100_000]))}\r\n`
  const target = `/${'p'.repeat(random.pick([1, 1, 5_000, 70_000]))}`
  return `GET ${target} HTTP/1.1\r\nHost: x\r\n${random.pick([many, long])}\r\n`
}
