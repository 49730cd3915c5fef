import type { Methods } from './endpoint.ts'
import { bodyBytes, Exchange, readRequest } from './http.ts'
import { type Listening, listen } from './listen.ts'
import type { OutageLog } from './outage.ts'
import type { Headers } from './security-headers.ts'
import { addressOf } from './trusted-proxies.ts'
import type { HttpRequest, HttpResponse, loadUws, TemplatedApp } from './uws.ts'

interface AdminPortOptions {
  readonly host: string
  readonly port: number
  /** By path. */
  readonly routes: Readonly<Record<string, Methods>>
  /** The headers of every response. */
  readonly always: Headers
  readonly log: Pick<OutageLog, 'error'>
}

/** A second port, for monitoring alone. It has no limits and asks for no token, so it must not face the internet. */
export class AdminPort {
  readonly #options: AdminPortOptions
  #app: TemplatedApp | null = null

  constructor(options: AdminPortOptions) {
    this.#options = options
  }

  /** @throws Error when the port is taken or the address is not this machine's */
  listen(uws: Awaited<ReturnType<typeof loadUws>>): Promise<Listening> {
    const app = uws.App()
    this.#app = app
    app.any('/*', (res, req) => this.#serve(res, req))
    return listen(uws, app, this.#options.host, this.#options.port)
  }

  /** Closes the port and cuts its connections. */
  close(): void {
    this.#app?.close()
    this.#app = null
  }

  #serve(res: HttpResponse, req: HttpRequest): void {
    const { routes, always, log } = this.#options
    const exchange = new Exchange(res, req.getMethod(), always)
    if (bodyBytes(req) > 0) {
      exchange.refuse('413 Content Too Large', 'VALIDATION_FAILED', 'No body is taken here')
      return
    }
    const peer = addressOf(res.getRemoteAddress())
    const request = readRequest(req, { peer, ip: peer })
    const { method, path } = request
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined
    const route = methods?.[method === 'head' ? 'get' : method]
    if (!methods) exchange.error('404 Not Found', 'NOT_FOUND', 'There is nothing here')
    else if (!route) exchange.error('405 Method Not Allowed', 'NOT_FOUND', 'Not this method', { Allow: 'GET, HEAD' })
    else {
      const answer = async () => route(exchange, request)
      answer().catch((error: unknown) => {
        log.error({ err: error, path }, 'a request to the admin port failed')
        exchange.error('500 Internal Server Error', 'INTERNAL', 'Something went wrong on the server')
      })
    }
  }
}
