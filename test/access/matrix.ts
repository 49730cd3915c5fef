import { modules } from '../../src/modules/index.ts'
import { tokenScopes } from '../../src/protocol/index.ts'
import type { AnyDefinition } from '../../src/rpc/index.ts'
import { admin } from './admin.ts'
import { auth } from './auth.ts'
import type { AccessCase, AccessOf, Answer } from './cases.ts'
import { live } from './live.ts'
import { matches } from './matches.ts'
import { rooms } from './rooms.ts'
import { scores } from './scores.ts'
import { storage } from './storage.ts'
import { tournaments } from './tournaments.ts'
import { users } from './users.ts'

/** A module without its cases does not compile. */
const cases: { readonly [Name in keyof typeof modules]: AccessOf<(typeof modules)[Name]> } = {
  auth,
  users,
  scores,
  storage,
  matches,
  live,
  rooms,
  tournaments,
  admin,
}

export const callers = ['anonymous', 'owner', 'other', 'token', 'admin'] as const
export type CallerKind = (typeof callers)[number]

/** One row of the matrix: a definition, and what each kind of caller gets. */
export interface Row extends AccessCase {
  readonly type: string
  readonly definition: AnyDefinition
  readonly cells: Readonly<Record<CallerKind, Answer>>
  /** What the token of the matrix may do: all but what is needed. */
  readonly tokenScopes: readonly string[]
}

export const rows: readonly Row[] = Object.entries(modules).flatMap(([module, { methods, subscriptions }]) => {
  const ofModule: Readonly<Record<string, AccessCase>> = cases[module as keyof typeof modules]
  const definitions: Readonly<Record<string, AnyDefinition>> = { ...methods, ...subscriptions }
  return Object.entries(definitions).map(([name, definition]) => {
    const own = ofModule[name] ?? { other: 'there is no case' }
    return {
      ...own,
      type: `${module}.${name}`,
      definition,
      cells: cellsOf(`${module}.${name}`, definition, own),
      tokenScopes: tokenScopes.filter((scope) => scope !== definition.scope),
    }
  })
})

/** @throws Error for a case that nobody passes, and for a code that the definition does not declare */
function cellsOf(type: string, { access, scope, errors }: AnyDefinition, own: AccessCase): Row['cells'] {
  const { owner = 'ok', other, anonymous = other, admin = access === 'admin' ? 'ok' : other } = own
  const given = [owner, other, admin, ...(access === 'anyone' ? [anonymous] : [])]
  if (!given.includes('ok')) throw new Error(`${type}: no caller gets an answer, so the case could not fail`)
  const known = new Set(['ok', ...errors, ...(access === 'admin' ? ['FORBIDDEN'] : [])])
  const unknown = given.find((cell) => !known.has(cell))
  if (unknown !== undefined) throw new Error(`${type} does not declare ${unknown}`)
  return {
    anonymous: access === 'anyone' ? anonymous : 'UNAUTHENTICATED',
    owner,
    other,
    token: scope === 'any' ? owner : 'FORBIDDEN',
    admin,
  }
}
