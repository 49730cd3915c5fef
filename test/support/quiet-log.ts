import { createLoggers, type Log } from '../../src/logger.ts'

const nothing = () => undefined

/** For tests that do not check the log. */
export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }

export const quietLoggers = () => createLoggers({ level: 'silent', format: 'json', node: 'test' })
