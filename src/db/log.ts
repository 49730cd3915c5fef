/** What `db/` needs of a logger: fields first, then the message, as pino has it. */
export interface DbLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
