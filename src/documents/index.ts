import type { Module } from '../rpc/index.ts'
import { createAsyncApi } from './asyncapi.ts'
import { describeContract } from './contract.ts'
import { createOpenApi } from './openapi.ts'

export { createAsyncApi } from './asyncapi.ts'
export { type Contract, describeContract } from './contract.ts'
export { createOpenApi } from './openapi.ts'

interface DocumentOptions {
  readonly version: string
  readonly publicUrl: string
  readonly sessionCookie: string
  /** The HTTP status of an error code. */
  readonly statusOf: (code: string) => number
}

/** The documents of these modules by their path: each is made when it is called. */
export function createDocuments(modules: readonly Module[], options: DocumentOptions) {
  return {
    '/openapi.json': () => JSON.stringify(createOpenApi(describeContract(modules), options)),
    '/asyncapi.json': () => JSON.stringify(createAsyncApi(describeContract(modules), options)),
  }
}
