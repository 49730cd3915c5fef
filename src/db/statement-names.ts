import type { PrismaPg } from '@prisma/adapter-pg'

/** Names for the texts of Prisma's queries, so that a connection prepares each of them once. */
export type StatementNames = NonNullable<
  NonNullable<ConstructorParameters<typeof PrismaPg>[1]>['statementNameGenerator']
>

/** A connection keeps what it has prepared, some ten kilobytes each. Texts beyond the bound are not prepared. */
const MAX_NAMES = 256
const UNNAMED = ''

/** One generator for all clients that share connections: a name means the same text on each of them. */
export function createStatementNames(): StatementNames {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known !== undefined) return known
    if (names.size >= MAX_NAMES) return UNNAMED
    const name = `prisma_${names.size}`
    names.set(sql, name)
    return name
  }
}
