import type { Contract } from '../../src/documents/index.ts'
import { tokenScopes } from '../../src/protocol/index.ts'

type Schema = Readonly<Record<string, unknown>>

/** Fields of an answer that a table names; the others are in the documents. */
const MAX_FIELDS = 12

const begin = (module: string) => `<!-- The tables of ${module} are written by \`npm run docs\`. -->`
const END = '<!-- end -->'
const SCOPES = '<!-- The scopes are written by `npm run docs`. -->'

/** The page with the tables of each module, in the section of its name; one without a section gets one at the end. */
export function withTables(page: string, contract: Contract): string {
  let text = withScopes(page, contract)
  for (const module of modulesOf(contract)) {
    const tables = `${begin(module)}\n\n${tablesOf(module, contract)}\n\n${END}`
    const from = text.indexOf(begin(module))
    if (from < 0) {
      const head = `\n## ${module}\n`
      if (!text.includes(head)) text = `${text.trimEnd()}\n${head}`
      const at = text.indexOf(head) + head.length
      text = `${text.slice(0, at)}\n${tables}\n${text.slice(at)}`
    } else text = text.slice(0, from) + tables + text.slice(text.indexOf(END, from) + END.length)
  }
  return text
}

/** The page with the table of what each scope allows, at its place. */
function withScopes(page: string, { methods, subscriptions }: Contract): string {
  const [before, after] = page.split(SCOPES)
  if (before === undefined || after === undefined) return page
  const definitions = Object.entries({ ...methods, ...subscriptions })
  const lines = tokenScopes.map((scope) => {
    const types = definitions.flatMap(([type, definition]) => (definition.scope === scope ? [`\`${type}\``] : []))
    return row([`\`${scope}\``, types.sort().join(' ')])
  })
  const table = ['| scope | what it allows |', '|---|---|', ...lines].join('\n')
  return `${before}${SCOPES}\n\n${table}\n\n${after.slice(after.indexOf(END))}`
}

function modulesOf({ methods, subscriptions }: Contract): string[] {
  const names = [...Object.keys(methods), ...Object.keys(subscriptions)]
  return [...new Set(names.map((type) => type.slice(0, type.indexOf('.'))))]
}

function tablesOf(module: string, { methods, subscriptions, routes }: Contract): string {
  const own = <T>(all: Readonly<Record<string, T>>) =>
    Object.entries(all).filter(([type]) => type.startsWith(`${module}.`))
  const tables: string[] = []
  const head = (first: string, second: string, last: string) =>
    `| ${first} | | access | scope | ${second} | input | ${last} | errors | limit |\n|---|---|---|---|---|---|---|---|---|`
  const ofMethods = own(methods).map(([type, { access, scope, effect, input, output, errors, limit, summary }]) =>
    row([`\`${type}\``, summary, access, scope, effect, code(input, true), code(output), codes(errors), rate(limit)]),
  )
  if (ofMethods.length > 0) tables.push([head('method', 'effect', 'output'), ...ofMethods].join('\n'))
  const ofStreams = own(subscriptions).map(([type, { access, scope, delivery, input, event, snapshot, ...more }]) => {
    const isState = JSON.stringify(event) === JSON.stringify(snapshot)
    const sent = isState ? code(event) : `${code(snapshot)}, then ${code(event)}`
    return row([
      `\`${type}\``,
      more.summary,
      access,
      scope,
      delivery,
      code(input, true),
      sent,
      codes(more.errors),
      rate(more.limit),
    ])
  })
  if (ofStreams.length > 0)
    tables.push([head('subscription', 'delivery', 'snapshot and event'), ...ofStreams].join('\n'))
  const ofRoutes = Object.entries(routes)
    .filter(([, { module: from }]) => from === module)
    .map(([address, { calls, query, body, status, output, contentTypes, summary }]) => {
      const called = calls === undefined ? '' : `\`${calls}\``
      const answer = contentTypes
        ? contentTypes.map((type) => `\`${type}\``).join(', ')
        : `${status} ${code(output ?? {})}`
      return row([
        `\`${address}\``,
        summary,
        called,
        query ? code(query, true) : '',
        body ? code(body, true) : '',
        answer,
      ])
    })
  if (ofRoutes.length > 0) {
    tables.push(['| address | | calls | query | body | answer |\n|---|---|---|---|---|---|', ...ofRoutes].join('\n'))
  }
  return tables.join('\n\n')
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const codes = (errors: readonly string[]) => errors.map((error) => `\`${error}\``).join(' ')
const code = (schema: Schema, isInput = false) => `\`${shapeOf(schema, isInput).replaceAll('|', '\\|')}\``

function rate(limit: { readonly points: number; readonly perSeconds: number } | undefined): string {
  if (!limit) return ''
  const { points, perSeconds } = limit
  if (perSeconds === 60) return `${points} a minute`
  return perSeconds === 3_600 ? `${points} an hour` : `${points} in ${perSeconds} s`
}

/** The names of the fields, as a TypeScript type has them; of inputs with the values that a field may have. */
function shapeOf(schema: Schema, isInput: boolean): string {
  const union = schema.anyOf ?? schema.oneOf
  if (Array.isArray(union)) return [...new Set(union.map((member) => shapeOf(member, isInput)))].join(' | ')
  const { properties, required = [], items } = schema
  if (isObject(items)) return `${shapeOf(items, isInput)}[]`
  if (!isObject(properties)) return simpleShape(schema)
  const needed = new Set(Array.isArray(required) ? required : [])
  const fields = Object.entries(properties).map(([name, field]) => {
    const values = isObject(field) ? literalsOf(field) : []
    const isLiteral = values.length > 0 && (isInput || values.length === 1)
    const isList = name === 'items' && isObject(field) && isObject(field.items)
    const shape = isLiteral ? `: ${values.join(' | ')}` : isList ? `: ${shapeOf(Object(field), isInput)}` : ''
    return `${name}${needed.has(name) ? '' : '?'}${shape}`
  })
  const shown = fields.length > MAX_FIELDS ? [...fields.slice(0, MAX_FIELDS - 1), '…'] : fields
  return shown.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
}

function literalsOf(schema: Schema): string[] {
  if (schema.const !== undefined) return [JSON.stringify(schema.const)]
  return Array.isArray(schema.enum) ? schema.enum.map((value) => JSON.stringify(value)) : []
}

function simpleShape(schema: Schema): string {
  const literals = literalsOf(schema)
  if (literals.length > 0) return literals.join(' | ')
  if (schema.type === 'object') return '{}'
  return typeof schema.type === 'string' ? schema.type : 'any JSON'
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
