import type { Exchange, Request } from './http.ts'

export type Route = (exchange: Exchange, request: Request) => void | Promise<void>

/** Routes of one path, by method in lower case. */
export type Methods = Readonly<Record<string, Route>>

/** What answers at one address. */
export interface Endpoint {
  /** What traces and the log call it. Not the path: that of a page may hold the code of a match. */
  readonly name: string
  readonly methods: Methods
  /** Bytes of the largest body of a POST. Default: no body is taken. */
  readonly postBytes?: number
  /** Nothing answers here: the error, with 404. */
  readonly missing?: { readonly code: 'NOT_FOUND' | 'UNKNOWN_TYPE'; readonly message: string }
  /** Requests are not traced. */
  readonly isStatus?: boolean
}
