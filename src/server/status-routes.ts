import type { Route } from './endpoint.ts'

export interface StatusOptions {
  readonly isDraining: () => boolean
  readonly isReady: () => Promise<boolean>
  /** The text of `/metrics`. Undefined: there are none. */
  readonly metrics: (() => Promise<string>) | undefined
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** What load balancers and monitoring ask. The routes do not check who asks. */
export function createStatusRoutes({ isDraining, isReady, metrics }: StatusOptions) {
  const healthz: Route = (exchange) => exchange.json('200 OK', { status: 'ok' })
  const readyz: Route = async (exchange) => {
    if (!isDraining() && (await isReady())) exchange.json('200 OK', { status: 'ready' })
    else exchange.json('503 Service Unavailable', { status: isDraining() ? 'draining' : 'unavailable' })
  }
  const showMetrics: Route = async (exchange) => {
    if (!metrics) exchange.error('404 Not Found', 'NOT_FOUND', 'There is nothing here')
    else exchange.reply('200 OK', { 'Content-Type': METRICS_TYPE }, await metrics())
  }
  return { '/healthz': { get: healthz }, '/readyz': { get: readyz }, '/metrics': { get: showMetrics } }
}
