import { createHash } from 'node:crypto'
import type { Endpoint } from './endpoint.ts'
import { jsonHeaders } from './security-headers.ts'
import { hasTag } from './static-files.ts'

/** JSON documents by their path. They hold no secret, and tools on other sites may read them. */
export type Documents = Readonly<Record<string, () => string>>

/** Serves documents, each made once, when it is first asked for. */
export function createDocumentRoutes(documents: Documents): readonly (readonly [path: string, Endpoint])[] {
  return Object.entries(documents).map(([path, make]) => {
    let made: { readonly text: string; readonly headers: Record<string, string> } | undefined
    const get: Endpoint['methods'][string] = (exchange, { ifNoneMatch }) => {
      if (!made) {
        const text = make()
        const tag = createHash('sha256').update(text).digest('base64url').slice(0, 22)
        const open = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' }
        made = { text, headers: { ...open, 'Cache-Control': 'no-cache', ETag: `"${tag}"` } }
      }
      if (hasTag(ifNoneMatch, made.headers.ETag)) exchange.reply('304 Not Modified', made.headers)
      else exchange.reply('200 OK', { ...jsonHeaders, ...made.headers }, made.text)
    }
    return [path, { name: path, methods: { get } }]
  })
}
