import { randomUUID } from 'node:crypto'
import { type Entry, errorData, RpcError, type ServedFile } from '../rpc/index.ts'
import type { Endpoint, Methods, Route } from './endpoint.ts'
import type { Bridge, BridgeOptions } from './http-bridge.ts'
import { statusLine, statusOf } from './http-status.ts'
import { hasTag } from './static-files.ts'
import { Turns } from './turns.ts'

/** A path with segments in braces. */
interface Template {
  readonly path: string
  readonly segments: readonly string[]
}

const SEGMENT = /^(\{[a-z]\w*\}|[\w.-]+)$/
/** Files that may wait for their turn. */
const MAX_WAITING = 512

/**
 * The addresses that modules declare beside `/rpc`.
 *
 * @throws Error for a path that is none, or that two routes answer in the same way
 */
export function createModuleRoutes({ receiver, limits }: BridgeOptions, bridge: Bridge) {
  const turns = new Turns(limits.anonymousReads, MAX_WAITING)
  const endpoints = new Map<string, Endpoint & { readonly template: Template }>()
  for (const { route, entry } of receiver.routes) {
    const template = templateOf(route.path)
    const { methods = {}, postBytes = 0 } = endpoints.get(route.path) ?? {}
    const added: Methods =
      route.kind === 'file'
        ? { get: serveFile(entry, template) }
        : bridge.methodsOf(entry, route, (path) => paramsOf(template, path))
    const twice = Object.keys(added).find((method) => method !== 'options' && method in methods)
    if (twice) throw new Error(`Two routes answer ${twice.toUpperCase()} ${route.path}`)
    endpoints.set(route.path, {
      name: route.path,
      template,
      methods: { ...methods, ...added },
      postBytes: route.method === 'POST' ? bridge.postBytesOf(entry) : postBytes,
    })
  }
  /** By the first segment. A path with fewer braces comes first: `/scores/top` before `/scores/{name}`. */
  const byFirst = new Map<string, (Endpoint & { readonly template: Template })[]>()
  const bracesOf = ({ template }: { template: Template }) => template.segments.filter(isParam).length
  for (const endpoint of [...endpoints.values()].toSorted((a, b) => bracesOf(a) - bracesOf(b))) {
    const first = endpoint.template.segments[0] ?? ''
    byFirst.set(first, [...(byFirst.get(first) ?? []), endpoint])
  }

  function serveFile(entry: Entry, template: Template): Route {
    return async (exchange, { path, ip, userAgent, ifNoneMatch }) => {
      const caller = { user: null, sessionId: null, token: null, ip, userAgent, device: null }
      try {
        const params = paramsOf(template, path)
        // The entry is that of this route.
        const file = (await turns.run(() => receiver.call(caller, entry, params, randomUUID()))) as ServedFile
        const { status = 200, headers, body } = file
        if (hasTag(ifNoneMatch, headers.ETag)) exchange.reply('304 Not Modified', headers)
        else exchange.reply(statusLine(status), headers, body)
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        exchange.error(statusLine(statusOf(error.code)), error.code, errorData(error))
      }
    }
  }

  return {
    /** What answers at this path; undefined for a path that no module has anything near. */
    endpointOf(path: string): Endpoint | undefined {
      const near = byFirst.get(path.slice(1, endOfFirst(path)))
      if (!near) return undefined
      const segments = path.slice(1).split('/')
      return near.find(({ template }) => fits(template, segments)) ?? nothingHere
    },
  }
}

const message = 'There is nothing here'
const nothingHere: Endpoint = { name: 'nothing', methods: {}, missing: { code: 'NOT_FOUND', message } }

const isParam = (segment: string): boolean => segment.startsWith('{')

function endOfFirst(path: string): number {
  const end = path.indexOf('/', 1)
  return end === -1 ? path.length : end
}

function templateOf(path: string): Template {
  const segments = path.slice(1).split('/')
  const isGood = path.startsWith('/') && !isParam(segments[0] ?? '') && segments.every((each) => SEGMENT.test(each))
  if (!isGood) throw new Error(`${path} is no path of a route`)
  return { path, segments }
}

function fits(template: Template, sent: readonly string[]): boolean {
  const { segments } = template
  return (
    segments.length === sent.length &&
    segments.every((each, at) => (isParam(each) ? sent[at] !== '' : each === sent[at]))
  )
}

/** The segments that stand in braces. @throws RpcError VALIDATION_FAILED for one that cannot be decoded or stored */
function paramsOf({ segments }: Template, path: string): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [at, sent] of path.slice(1).split('/').entries()) {
    const segment = segments[at] ?? ''
    if (isParam(segment)) params[segment.slice(1, -1)] = decode(sent)
  }
  return params
}

function decode(segment: string): string {
  try {
    const text = decodeURIComponent(segment)
    if (!text.includes('\0')) return text
  } catch {
    // It is answered as below.
  }
  throw new RpcError('VALIDATION_FAILED', 'Not a path')
}
