import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Games } from '../../src/games/game.ts'
import { games } from '../../src/games/index.ts'

const Field = z.object({
  description: z.string().optional(),
  type: z.string().optional(),
  anyOf: z.array(z.object({ type: z.string() })).optional(),
})
const State = z.object({ properties: z.record(z.string(), Field) })

/** The fields of a state by its schema. Every one has to be described. */
function fieldsOf(name: string, schema: unknown): string[] {
  if (!(schema instanceof z.ZodType)) throw new Error(`${name} has no schema of its state`)
  return Object.entries(State.parse(z.toJSONSchema(schema)).properties).map(([field, { description, type, anyOf }]) => {
    if (!description) throw new Error(`describe the field \`${field}\` of ${name}'s state`)
    return `| \`${field}\` | ${type ?? anyOf?.map((one) => one.type).join(' or ')} | ${description} |`
  })
}

test('docs/games.md says what is in the state of each game; `npx vitest run test/games/states-page.test.ts -u` writes it', async () => {
  const all: Games = games
  const sections = Object.values(all).map(({ name, version, seats, tickRate, state }) => {
    const pace = tickRate > 0 ? `${tickRate} ticks a second` : 'in turns'
    return [
      `## ${name}`,
      '',
      `Version ${version} of the rules; ${seats} seats; ${pace}.`,
      '',
      '| field of the state | | |',
      '|---|---|---|',
      ...fieldsOf(name, state),
      '',
    ]
  })
  const head = [
    '# Games, and what is in their states',
    '',
    'A client of `live.onState` in mode `state` shows a match without knowing the rules: each frame has the whole state of the game, as',
    'its schema describes it (`state` in `defineGame`). This page is generated from those schemas.',
    '',
  ]
  await expect([...head, ...sections.flat()].join('\n')).toMatchFileSnapshot('../../docs/games.md')
})
