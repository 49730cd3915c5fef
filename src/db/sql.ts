import { Prisma } from './generated/client.ts'

/** A piece of SQL with its values, for a query or a larger piece. All that others may use of the generated client. */
export const { sql } = Prisma
