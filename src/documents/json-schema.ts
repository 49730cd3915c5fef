import { z } from 'zod'

/** A JSON Schema of 2020-12, as zod writes it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The JSON Schema of what goes over the wire: `input` is what a client sends, `output` what it is sent. What JSON Schema cannot
 * say, such as a refinement, is left out.
 */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, '~standard': __, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any', cycles: 'ref' })
  return own
}

/**
 * The schema for a document in which it is not the root: its definitions go to `components` under names that begin with
 * `name`, and references lead there.
 */
export function embedded(schema: JsonSchema, name: string, components: Record<string, JsonSchema>): JsonSchema {
  const { $defs = {}, ...own } = schema
  const place = (part: string) => `#/components/schemas/${name}${part}`
  const lead = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(lead)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key !== '$ref' || typeof inner !== 'string') return [key, lead(inner)]
        return [key, inner === '#' ? place('') : place(`.${inner.slice('#/$defs/'.length)}`)]
      }),
    )
  }
  for (const [part, definition] of Object.entries(Object($defs))) {
    components[`${name}.${part}`] = lead(definition) as JsonSchema
  }
  const led = lead(own) as JsonSchema
  if (JSON.stringify(led).includes(`"${place('')}"`)) components[name] = led
  return led
}
