import type { Sql } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'

/** Exports at once on a node: each holds all that is kept of a user, many megabytes for some. */
const MAX_AT_ONCE = 2
const RETRY_AFTER_MS = 2_000

/** Collects what all modules keep of a user. */
export class AccountExport {
  readonly #platform: Platform
  #running = 0

  constructor(platform: Platform) {
    this.#platform = platform
  }

  /** @throws RpcError UNAVAILABLE when too many exports run on this node */
  async collect(userId: string, sql: Sql): Promise<Record<string, unknown>> {
    if (this.#running >= MAX_AT_ONCE)
      throw new RpcError('UNAVAILABLE', 'Other accounts are being exported', { retryAfterMs: RETRY_AFTER_MS })
    this.#running++
    try {
      const data: Record<string, unknown> = {}
      for (const [name, service] of this.#platform.allServices()) {
        if (service.exportOf) data[name] = await service.exportOf(userId, sql)
      }
      return data
    } finally {
      this.#running--
    }
  }
}
