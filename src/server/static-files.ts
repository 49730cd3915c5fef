import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, posix, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip } from 'node:zlib'
import type { Exchange, Request } from './http.ts'
import { type Headers, pageHeaders } from './security-headers.ts'

/** All files of the page together, as they are kept in memory. */
const MAX_BYTES = 64 * 1024 * 1024

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
}
const UNBUILT =
  '<!doctype html><html lang="en"><title>Rally</title><h1>Rally is running</h1>' +
  '<p>Its page has not been built yet. Run <code>npm run build</code> and start Rally again.</p></html>'

/** Vite puts a hash of the content into the names of the files that it writes here. */
const HASHED = /^\/assets\/[^/]*-[\w-]{8}\.\w+(\.map)?$/
/** A browser may keep these for an hour: an old picture does no harm. An old script beside a new page may. */
const PICTURE_OR_SOUND = /^(image|font|audio)\//

/** The encodings, best first, with the ending of the files that a build puts beside the original, and how to check them. */
const compressions = [
  { encoding: 'br', ending: '.br', decompress: promisify(brotliDecompress) },
  { encoding: 'gzip', ending: '.gz', decompress: promisify(gunzip) },
] as const

type Encoding = (typeof compressions)[number]['encoding'] | 'identity'

interface Variant {
  readonly encoding: Encoding
  readonly body: Buffer
  readonly etag: string
}

interface StaticFile {
  readonly contentType: string
  readonly cacheControl: string
  readonly original: Variant
  /** Best first. */
  readonly compressed: readonly Variant[]
}

/** Answers GET and HEAD of every path that is not a route of the server. */
export type ServeFile = (exchange: Exchange, request: Request) => void

/**
 * Reads a built page into memory, with the compressed copies (`.br`, `.gz`) that the build left beside its files. Places inside
 * the page get `index.html`: they are the lines of its `places.txt`, where `*` stands for one segment. Without that file every
 * path without an extension is a place. Every other path is a 404, with the page's `404.html` if it has no extension.
 *
 * @throws Error when the folder holds more than 64 MiB, or a compressed file is not that of the file beside it
 */
export async function loadStaticFiles(webDir: string, publicUrl: string): Promise<ServeFile> {
  const files = await readFiles(webDir)
  const headers = pageHeaders(publicUrl)
  const isPlace = placesOf(files.get('/places.txt')?.original.body.toString())
  return (exchange, request) => {
    const path = decodePath(request.path)
    if (path === undefined) {
      exchange.error('400 Bad Request', 'VALIDATION_FAILED', 'Not a path')
      return
    }
    const namesFile = posix.extname(path) !== ''
    const file = files.get(path) ?? (isPlace(request.path, namesFile) ? files.get('/index.html') : undefined)
    const notFound = files.size === 0 ? UNBUILT : files.get('/404.html')?.original.body
    if (file) sendFile(exchange, request, file, headers)
    else if (namesFile || !notFound) exchange.error('404 Not Found', 'NOT_FOUND', 'There is nothing here')
    else {
      const html = { 'Content-Type': contentTypes['.html'] ?? '' }
      exchange.reply('404 Not Found', { ...headers, ...html }, notFound)
    }
  }
}

/** Tells whether a path, as it was sent, is a place inside the page. */
function placesOf(list: string | undefined): (path: string, namesFile: boolean) => boolean {
  if (list === undefined) return (_path, namesFile) => !namesFile
  const places = list.split('\n').flatMap((line) => (line.trim() === '' ? [] : [segmentsOf(line.trim())]))
  return (path) => {
    const segments = segmentsOf(path)
    return places.some(
      (place) => place.length === segments.length && place.every((each, at) => each === '*' || each === segments[at]),
    )
  }
}

const segmentsOf = (path: string): string[] => path.split('/').filter(Boolean)

/** The decoded path; undefined if it cannot be decoded or leads out of the folder. */
function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') || decoded.split(/[/\\]/).includes('..') ? undefined : decoded
  } catch {
    return undefined
  }
}

async function readFiles(webDir: string): Promise<ReadonlyMap<string, StaticFile>> {
  const bodies = await readBodies(webDir)
  const files = new Map<string, StaticFile>()
  for (const [path, body] of bodies) {
    if (isCopy(path, bodies)) continue
    const contentType = contentTypes[extname(path).toLowerCase()] ?? 'application/octet-stream'
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22)
    const variant = (encoding: Encoding, bytes: Buffer): Variant => {
      return { encoding, body: bytes, etag: `"${hash}-${encoding}"` }
    }
    const compressed: Variant[] = []
    for (const { encoding, ending, decompress } of compressions) {
      const copy = bodies.get(path + ending)
      if (!copy) continue
      const decompressed = await decompress(copy, { maxOutputLength: MAX_BYTES }).catch(() => undefined)
      if (!decompressed?.equals(body)) throw new Error(`${path}${ending} is no copy of ${path}. Build the page again.`)
      compressed.push(variant(encoding, copy))
    }
    const cacheControl = cacheControlOf(path, contentType)
    files.set(path, { contentType, cacheControl, original: variant('identity', body), compressed })
  }
  return files
}

async function readBodies(webDir: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(webDir, { recursive: true, withFileTypes: true }).catch(() => [])
  const bodies = new Map<string, Buffer>()
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const body = await readFile(file)
    bytes += body.byteLength
    if (bytes > MAX_BYTES) throw new Error(`${webDir} holds more than ${MAX_BYTES} bytes`)
    bodies.set(`/${relative(webDir, file).split(sep).join('/')}`, body)
  }
  return bodies
}

const isCopy = (path: string, bodies: ReadonlyMap<string, Buffer>): boolean =>
  compressions.some(({ ending }) => path.endsWith(ending) && bodies.has(path.slice(0, -ending.length)))

function cacheControlOf(path: string, contentType: string): string {
  if (HASHED.test(path)) return 'public, max-age=31536000, immutable'
  return PICTURE_OR_SOUND.test(contentType) ? 'public, max-age=3600' : 'no-cache'
}

/** The best of those in an encoding that the client accepts (`q=0` refuses one). */
function choose({ original, compressed }: StaticFile, acceptEncoding: string): Variant {
  const accepted = acceptEncoding.split(',').flatMap((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : name
  })
  return compressed.find(({ encoding }) => accepted.includes(encoding)) ?? original
}

function sendFile(exchange: Exchange, request: Request, file: StaticFile, always: Headers): void {
  const { encoding, body, etag } = choose(file, request.acceptEncoding)
  const headers: Headers = { ...always, 'Cache-Control': file.cacheControl, ETag: etag, Vary: 'Accept-Encoding' }
  const described = { ...headers, 'Content-Type': file.contentType }
  const full = encoding === 'identity' ? described : { ...described, 'Content-Encoding': encoding }
  if (hasTag(request.ifNoneMatch, etag)) exchange.reply('304 Not Modified', headers)
  else exchange.reply('200 OK', full, body)
}

/** Whether the client has this version of a file already. */
export function hasTag(ifNoneMatch: string, etag: string | undefined): boolean {
  if (etag === undefined) return false
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
