import type { Contract } from '../../src/documents/index.ts'

type Schema = Readonly<Record<string, unknown>>

const ACCESS = ['anyone', 'user', 'admin']
/** A smaller number there allows less. */
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
/** A larger number there allows less. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
/** Any other value there may refuse what was allowed. */
const EXACT = ['pattern', 'format', 'const', 'multipleOf', 'contentEncoding', 'propertyNames']

/**
 * What a client of `before` would notice in `after`, one line each: something is gone or renamed, more is asked, less is
 * taken. What is only added is none of it.
 */
export function breakingChanges(before: Contract, after: Contract): string[] {
  const found: string[] = []
  const report = (where: string, what: string) => void found.push(`${where}: ${what}`)

  for (const kind of ['methods', 'subscriptions', 'routes'] as const) {
    for (const name of Object.keys(before[kind])) if (!(name in after[kind])) report(name, 'was removed')
  }
  for (const [name, old] of [...Object.entries(before.methods), ...Object.entries(before.subscriptions)]) {
    const now = after.methods[name] ?? after.subscriptions[name]
    if (!now) continue
    if (ACCESS.indexOf(now.access) > ACCESS.indexOf(old.access)) report(name, `is for ${now.access} now`)
    if (now.scope !== old.scope && now.scope !== 'any') report(name, `needs the scope ${now.scope}, not ${old.scope}`)
    for (const code of old.errors) if (!now.errors.includes(code)) report(name, `has no error ${code} any more`)
    compareInput(`${name} input`, old.input, now.input, report)
  }
  for (const [name, old] of Object.entries(before.methods)) {
    const now = after.methods[name]
    if (!now) continue
    if (now.effect !== old.effect) report(name, `has the effect ${now.effect}, not ${old.effect}`)
    compareOutput(`${name} output`, old.output, now.output, report)
  }
  for (const [name, old] of Object.entries(before.subscriptions)) {
    const now = after.subscriptions[name]
    if (!now) continue
    if (now.delivery !== old.delivery) report(name, `is ${now.delivery}, not ${old.delivery}`)
    compareOutput(`${name} snapshot`, old.snapshot, now.snapshot, report)
    compareOutput(`${name} event`, old.event, now.event, report)
  }
  for (const [name, old] of Object.entries(before.routes)) {
    const now = after.routes[name]
    if (!now) continue
    if (now.status !== old.status) report(name, `answers ${now.status}, not ${old.status}`)
    compareInput(`${name} query`, old.query ?? {}, now.query ?? {}, report)
    compareInput(`${name} body`, old.body ?? {}, now.body ?? {}, report)
    compareOutput(`${name} output`, old.output ?? {}, now.output ?? {}, report)
  }
  return found
}

type Report = (where: string, what: string) => void

/** Both schemas are whole documents, in which references lead. */
function compareInput(where: string, before: Schema, after: Schema, report: Report): void {
  compare(where, before, after, { isInput: true, roots: [before, after], report, seen: new Set() })
}

function compareOutput(where: string, before: Schema, after: Schema, report: Report): void {
  compare(where, before, after, { isInput: false, roots: [before, after], report, seen: new Set() })
}

interface Comparison {
  /** The client sends it; otherwise the server does. */
  readonly isInput: boolean
  readonly roots: readonly [before: Schema, after: Schema]
  readonly report: Report
  /** References that are being compared: schemas may contain themselves. */
  readonly seen: Set<string>
}

function compare(where: string, before: unknown, after: unknown, by: Comparison): void {
  const pair = JSON.stringify([refOf(before), refOf(after)])
  if (refOf(before) !== undefined && by.seen.has(pair)) return
  by.seen.add(pair)
  const [olds, news] = [membersOf(before, by.roots[0]), membersOf(after, by.roots[1])]
  if (olds.length === 1 && news.length === 1) {
    compareOne(where, olds[0] ?? {}, news[0] ?? {}, by)
    return
  }
  const paired = new Set<Schema>()
  for (const old of olds) {
    const now = news.find((each) => !paired.has(each) && isSameKind(old, each))
    if (now) {
      paired.add(now)
      compareOne(`${where}${nameOf(old)}`, old, now, by)
    } else if (by.isInput || old.type !== 'null') by.report(`${where}${nameOf(old)}`, 'is not possible any more')
  }
  const added = news.filter((each) => !paired.has(each) && each.type === 'null')
  if (!by.isInput && added.length > 0) by.report(where, 'may be null now')
}

function compareOne(where: string, before: Schema, after: Schema, by: Comparison): void {
  const { isInput, report } = by
  if (before.type !== after.type && !(isInput && after.type === undefined)) {
    // A number may be sent where only whole ones were, and the reverse for answers.
    const [narrow, wide] = isInput ? [before, after] : [after, before]
    if (!(narrow.type === 'integer' && wide.type === 'number')) {
      report(where, `is ${String(after.type ?? 'anything')}, not ${String(before.type ?? 'anything')}`)
      return
    }
  }
  if (isInput) compareLimits(where, before, after, report)
  const [had, has] = [Object(before.enum ?? []) as unknown[], Object(after.enum ?? []) as unknown[]]
  const lost = had.filter((value) => !has.includes(value))
  if (has.length > 0 && lost.length > 0)
    report(where, `does not take ${lost.map((value) => JSON.stringify(value)).join(', ')} any more`)
  if (isInput && had.length === 0 && has.length > 0 && before.const === undefined)
    report(where, 'takes only some values now')
  compareFields(where, before, after, by)
  if (before.items !== undefined && after.items !== undefined) compare(`${where}[]`, before.items, after.items, by)
  if (isSchema(before.additionalProperties) && isSchema(after.additionalProperties)) {
    compare(`${where}.*`, before.additionalProperties, after.additionalProperties, by)
  }
  const wasOpen = before.additionalProperties !== false
  if (isInput && wasOpen && after.additionalProperties === false)
    report(where, 'refuses fields that it does not know now')
}

function compareLimits(where: string, before: Schema, after: Schema, report: Report): void {
  const isTighter = (key: string, sign: 1 | -1) => {
    const limit = after[key]
    if (typeof limit !== 'number') return false
    const former = before[key]
    return typeof former !== 'number' || (limit - former) * sign > 0
  }
  for (const key of UPPER) if (isTighter(key, -1)) report(where, `has ${key} ${String(after[key])} now`)
  for (const key of LOWER) if (isTighter(key, 1)) report(where, `has ${key} ${String(after[key])} now`)
  for (const key of EXACT) {
    const isAsked = after[key] !== undefined
    if (isAsked && JSON.stringify(after[key]) !== JSON.stringify(before[key])) {
      report(where, `has the ${key} ${JSON.stringify(after[key])} now`)
    }
  }
}

function compareFields(where: string, before: Schema, after: Schema, by: Comparison): void {
  const [had, has] = [fieldsOf(before), fieldsOf(after)]
  const [needed, needs] = [requiredOf(before), requiredOf(after)]
  for (const [name, old] of Object.entries(had)) {
    const field = `${where}.${name}`
    if (!(name in has)) {
      by.report(field, 'was removed')
      continue
    }
    if (by.isInput && needs.has(name) && !needed.has(name)) by.report(field, 'is required now')
    if (!by.isInput && needed.has(name) && !needs.has(name)) by.report(field, 'may be absent now')
    compare(field, old, has[name], by)
  }
  if (!by.isInput) return
  for (const name of needs) if (!(name in had)) by.report(`${where}.${name}`, 'is new and required')
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const fieldsOf = ({ properties }: Schema): Schema => (isSchema(properties) ? properties : {})
const requiredOf = ({ required }: Schema) => new Set(Array.isArray(required) ? required.map(String) : [])
const refOf = (schema: unknown) => (isSchema(schema) && typeof schema.$ref === 'string' ? schema.$ref : undefined)

/** The schema that a reference leads to, and the members of a union. */
function membersOf(schema: unknown, root: Schema): readonly Schema[] {
  if (!isSchema(schema)) return [{}]
  const ref = refOf(schema)
  if (ref !== undefined) {
    const target = ref === '#' ? root : isSchema(root.$defs) ? root.$defs[ref.slice('#/$defs/'.length)] : undefined
    return membersOf(target, root)
  }
  const union = schema.anyOf ?? schema.oneOf
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }))
  if (!Array.isArray(union)) return [schema]
  return union.flatMap((member) => membersOf(member, root))
}

/** The fields of an object that can have one value only, by which the members of a union are told apart. */
function constantsOf(schema: Schema): string {
  const constants = Object.entries(fieldsOf(schema)).flatMap(([name, field]) =>
    isSchema(field) && field.const !== undefined ? [[name, field.const]] : [],
  )
  return constants.length === 0 ? '' : JSON.stringify(constants)
}

function isSameKind(a: Schema, b: Schema): boolean {
  return a.type === b.type && a.const === b.const && constantsOf(a) === constantsOf(b)
}

/** How a member of a union is called in a message. */
function nameOf(schema: Schema): string {
  const constants = constantsOf(schema)
  if (constants !== '')
    return ` (${Object.values(fieldsOf(schema))
      .flatMap((field) => (isSchema(field) && field.const !== undefined ? [String(field.const)] : []))
      .join(', ')})`
  return schema.const === undefined ? '' : ` (${JSON.stringify(schema.const)})`
}
