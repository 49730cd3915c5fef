import type { Log } from '../../src/logger.ts'

const nothing = () => undefined

/** For what is not tested by what it logs. */
export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
