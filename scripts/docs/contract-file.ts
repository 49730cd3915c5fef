import type { Contract } from '../../src/documents/index.ts'

/** `docs/contract.json`: one line for each part of a definition, so that a change shows what it changes. */
export function contractFile(contract: Contract): string {
  const kinds = Object.entries(contract).map(([kind, all]) => {
    const definitions = Object.entries<object>(all).map(([name, definition]) => {
      const parts = Object.entries(definition).map(
        ([part, value]) => `      ${JSON.stringify(part)}: ${JSON.stringify(value)}`,
      )
      return `    ${JSON.stringify(name)}: {\n${parts.join(',\n')}\n    }`
    })
    return `  ${JSON.stringify(kind)}: {\n${definitions.join(',\n')}\n  }`
  })
  return `{\n${kinds.join(',\n')}\n}\n`
}
