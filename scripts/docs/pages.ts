import { type Contract, describeContract } from '../../src/documents/index.ts'
import { modules } from '../../src/modules/index.ts'
import { accessPage } from './access-page.ts'
import { contractFile } from './contract-file.ts'
import { withTables } from './protocol-tables.ts'

export const CONTRACT = 'docs/contract.json'

/** What the definitions of this repository offer. */
export const currentContract = (): Contract => describeContract(Object.values(modules))

/** The generated documents by their path, as they should be. `read` gives a file as it is. */
export function generatedPages(read: (path: string) => string): Readonly<Record<string, string>> {
  const contract = currentContract()
  return {
    [CONTRACT]: contractFile(contract),
    'docs/access.md': accessPage(),
    'docs/protocol.md': withTables(read('docs/protocol.md'), contract),
  }
}
