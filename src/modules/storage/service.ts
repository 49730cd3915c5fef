import type { Sql } from '../../db/sql.ts'
import { service } from '../define.ts'
import { allValues } from './stored-values.ts'

export const storageService = service('storage', () => ({
  exportOf: (userId: string, sql: Sql) => allValues(sql, userId),
}))
