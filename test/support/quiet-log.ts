import type { DbLog } from '../../src/db/log.ts'

const nothing = () => undefined

/** For what is not tested by what it logs. */
export const quietLog: DbLog = { debug: nothing, info: nothing, warn: nothing, error: nothing }
