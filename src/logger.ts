import { type Logger, pino } from 'pino'

export type { Logger }

/** What most parts need of a logger: fields first, then the message, as pino has it. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface Loggers extends Readonly<Record<'app' | 'bus' | 'db' | 'engine' | 'rpc' | 'server', Logger>> {
  /** The logger of a module, by its name. */
  of(name: string): Logger
}

/** Keys that are left out of log lines and of clients' data in them. `err.code` of an error is no secret. */
const secretNames = ['token', 'code', 'secret', 'cookie', 'recoveryCode', 'recoveryCodes']

/** Every logger of the process, by name. They write JSON lines to standard output, without the values of `secretNames`. */
export function createLoggers(level: string, node: string): Loggers {
  const root = pino({
    level,
    base: { node },
    redact: { paths: secretNames.flatMap((name) => [name, `data.${name}`, `input.${name}`]), remove: true },
  })
  const known = new Map<string, Logger>()
  const of = (name: string) => {
    const logger = known.get(name) ?? root.child({ name })
    known.set(name, logger)
    return logger
  }
  const [app, bus, db] = [of('app'), of('bus'), of('db')]
  return { app, bus, db, engine: of('engine'), rpc: of('rpc'), server: of('server'), of }
}
