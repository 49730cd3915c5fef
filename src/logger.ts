import { type Logger, pino } from 'pino'
import { redactFields, redactText } from './log-redaction.ts'
import { readableLine } from './log-text.ts'

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

export interface LogOptions {
  readonly level: string
  readonly format: 'json' | 'text'
  /** The id of this process. */
  readonly node: string
  /** Fields of every line that has none of the same name. */
  readonly fields?: (() => object) | undefined
  /** Takes each line, with its line break. Default: standard output. */
  readonly writeLine?: ((line: string) => void) | undefined
}

/** Every logger of the process, by name. What they write has passed `log-redaction.ts`: no secrets, no values of users. */
export function createLoggers({ level, format, node, fields, writeLine }: LogOptions): Loggers {
  const options = {
    level,
    base: { node },
    // The redaction describes errors. Pino's own serializer would add all of their properties.
    serializers: { err: (described: unknown) => described },
    formatters: { log: redactFields },
    ...(fields && { mixin: (_: object, __: number, logger: Logger) => withoutBound(fields(), logger) }),
    hooks: { streamWrite: redactText, logMethod: withMessage },
  }
  const destination = destinationOf(format, writeLine)
  const root = destination ? pino(options, destination) : pino(options)
  const known = new Map<string, Logger>()
  const of = (name: string) => {
    const logger = known.get(name) ?? root.child({ name })
    known.set(name, logger)
    return logger
  }
  const [app, bus, db] = [of('app'), of('bus'), of('db')]
  return { app, bus, db, engine: of('engine'), rpc: of('rpc'), server: of('server'), of }
}

/** Pino would write a field twice that the logger has already. */
function withoutBound(fields: object, logger: Logger): object {
  const names = Object.keys(fields)
  if (names.length === 0) return fields
  const bound = logger.bindings()
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in bound)))
}

/** Undefined: pino writes to standard output itself. */
function destinationOf(format: LogOptions['format'], writeLine: LogOptions['writeLine']) {
  if (format === 'json') return writeLine && { write: writeLine }
  const write = writeLine ?? ((line: string) => void process.stdout.write(line))
  const colors = writeLine === undefined && process.stdout.isTTY
  return { write: (line: string) => write(readableLine(line, colors)) }
}

/** Without a message pino takes that of the error, which has not been redacted. */
function withMessage(this: Logger, args: Parameters<Logger['info']>, method: (...args: unknown[]) => void): void {
  const [first, ...rest]: unknown[] = args
  const isBare = rest.length === 0 && typeof first === 'object' && first !== null
  if (!isBare) method.apply(this, args)
  else method.apply(this, [first instanceof Error ? { err: first } : first, 'no message'])
}
