import { WebSocket } from 'ws'
import type { ClientOptions } from '../../src/client/index.ts'

/** What a browser does by itself and Node does not: keeps the cookies that `/session` sets, and sends them along. */
export function browserLike(): Required<Pick<ClientOptions, 'createSocket' | 'fetch'>> & {
  cookies: Map<string, string>
} {
  const cookies = new Map<string, string>()
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return {
    cookies,
    createSocket: (url, protocol) => new WebSocket(url, protocol, { headers: { cookie: header() } }),
    async fetch(input, init) {
      const response = await fetch(input, { ...init, headers: { ...init?.headers, cookie: header() } })
      for (const cookie of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = cookie.split(';')
        const at = pair.indexOf('=')
        const isOver = attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute))
        if (isOver) cookies.delete(pair.slice(0, at))
        else cookies.set(pair.slice(0, at), pair.slice(at + 1))
      }
      return response
    },
  }
}
