import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { execute } from './postgres.ts'
import { quietLog } from './quiet-log.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** A Postgres of the test's own, behind an address that stays when it is started anew. */
export class OwnPostgres implements AsyncDisposable {
  readonly proxy: TcpProxy
  readonly #dataDir: string
  readonly #folder: string
  #postgres: EmbeddedPostgres

  private constructor(dataDir: string, folder: string, proxy: TcpProxy, postgres: EmbeddedPostgres) {
    this.#dataDir = dataDir
    this.#folder = folder
    this.proxy = proxy
    this.#postgres = postgres
  }

  /** `within` is where its data are kept. */
  static async start(within = tmpdir()): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(within, 'rally-postgres-'))
    // Postgres runs as another user where the tests run as root.
    await chmod(folder, 0o755)
    const dataDir = join(folder, 'data')
    const [proxy, postgres] = await Promise.all([startTcpProxy(), startEmbedded(dataDir)])
    proxy.leadTo(addressOf(postgres))
    return new OwnPostgres(dataDir, folder, proxy, postgres)
  }

  /** Where Rally finds it. */
  get url(): string {
    const url = new URL(this.#postgres.url)
    url.host = `127.0.0.1:${this.proxy.port}`
    return url.href
  }

  /** Stops it: connections are cut, and new ones refused. */
  async stop(): Promise<void> {
    this.proxy.leadTo(undefined)
    await this.#postgres.stop()
  }

  /** Starts it anew, and lets connections through again. */
  async restart(): Promise<void> {
    this.#postgres = await startEmbedded(this.#dataDir)
    this.back()
  }

  /** Lets connections through again. */
  back(): void {
    this.proxy.leadTo(addressOf(this.#postgres))
  }

  query(sql: string) {
    return execute(this.#postgres.url, sql)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close()
    await this.#postgres.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

const startEmbedded = (dataDir: string) => startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
const addressOf = ({ url }: EmbeddedPostgres) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })
