import { fileURLToPath } from 'node:url'
import { type App, startApp } from './app.ts'
import { type ConfigInput, readConfig } from './config.ts'
import type { Variables } from './environment.ts'
import type { Games } from './games/game.ts'
import { games as ownGames } from './games/index.ts'
import type { ServiceModule } from './modules/define.ts'
import { modules as ownModules } from './modules/index.ts'

// What the package exports as `rally/server`: everything with which an application adds to Rally without editing it.

/** The zod that Rally checks with: schemas of another version of it would not fit. */
export { z } from 'zod'
export type { App } from './app.ts'
export type { ConfigInput } from './config.ts'
export { type Sql, type Statement, statement } from './db/sql.ts'
export { ConfigError } from './environment.ts'
export { type AnyGame, defineGame, type Game, type Games, placementsByScore, winnerOf } from './games/game.ts'
export { games } from './games/index.ts'
export {
  type Context,
  fileRoute,
  method,
  module,
  route,
  type ServiceModule,
  service,
  subscription,
} from './modules/define.ts'
export { type Api, modules } from './modules/index.ts'
export { listOf, Page, readPage } from './modules/pages.ts'
export type { Job, JobContext } from './modules/periodic-jobs.ts'
export type { Platform, Service, ServiceKey } from './modules/platform.ts'
export { inTransaction, type Scope } from './modules/scope.ts'
export { Username } from './modules/usernames.ts'
export { MatchId, Timestamp, UserId } from './modules/wire.ts'
export { type ApiOf, type Channel, channel, RpcError } from './rpc/index.ts'
export { AddonError } from './server/uws.ts'

export interface RallyOptions {
  /** By their names. Default: Rally's own. An application adds to them: `{ ...modules, shop }`. */
  readonly modules?: Readonly<Record<string, ServiceModule>>
  /** By their names. Default: Rally's own. */
  readonly games?: Games
  /** The folder of the application's own migrations, `<name>/migration.sql` each. They are applied after Rally's. */
  readonly migrations?: string | URL
  /** The folder of the page that is served at `/`, as a build leaves it. Default: Rally's own page. */
  readonly page?: string | URL
  /** Has priority over the environment. */
  readonly config?: ConfigInput
  /** What `config` does not say is read from here. Default: `process.env`. */
  readonly environment?: Variables
  /** Ends the start. It has no effect on a server that runs. */
  readonly signal?: AbortSignal
}

/**
 * Starts a server and resolves when it listens.
 *
 * @throws ConfigError for a configuration that does not make a server, AddonError on a Node that the WebSocket addon does not
 * support, MigrationError for a database that does not fit, Error for a module or a game under another name than its own.
 */
export async function startRally(options: RallyOptions = {}): Promise<App> {
  const { modules = ownModules, games = ownGames, environment = process.env, signal } = options
  checkNames('module', modules)
  checkNames('game', games)
  const config = readConfig(environment, options.config)
  const migrationsDir = toPath(options.migrations)
  return startApp({ config, modules, games, migrationsDir, webDir: toPath(options.page), signal })
}

function checkNames(kind: string, all: Readonly<Record<string, { readonly name: string }>>): void {
  for (const [key, { name }] of Object.entries(all)) {
    if (key !== name) throw new Error(`The ${kind} "${name}" is given under the name "${key}"`)
  }
}

const toPath = (folder: string | URL | undefined) => (folder instanceof URL ? fileURLToPath(folder) : folder)
