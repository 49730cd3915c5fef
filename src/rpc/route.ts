import type { z } from 'zod'
import type { AnyMethod, Method, RateLimit } from './definition.ts'
import { invalid, toIssues } from './errors.ts'

/** The names in braces of a path: `{ name: string }` of `/api/scores/player/{name}`. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown

/** What a route of a method is given: the segments of the path, and query and body as its schemas read them. */
export interface RouteRequest<Path extends string, Q extends z.ZodType, B extends z.ZodType> {
  readonly params: ParamsOf<Path>
  readonly query: z.output<Q>
  readonly body: z.output<B>
}

interface Address<Path extends string> {
  /** A segment in braces stands for any one segment. */
  readonly path: Path
  /** One line for the generated documents. */
  readonly summary: string
}

/**
 * An HTTP address of a method besides `/rpc/<type>`, for clients that use other names than the protocol does. Access, scope,
 * limit and the execution of a write once are those of the method.
 */
export interface MethodRoute<
  Path extends string = string,
  M extends AnyMethod = AnyMethod,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> extends Address<Path> {
  readonly kind: 'method'
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** A method of the same module. */
  readonly calls: M
  /** The query, whose values are text: `z.coerce.number()` makes numbers. Without it no query is read. */
  readonly query?: Q | undefined
  /** The body, which is JSON; `{}` where none is sent. Without it no body is read. */
  readonly body?: B | undefined
  /** What the method is called with. @throws RpcError */
  input(request: RouteRequest<Path, Q, B>): z.input<M['input']>
  /** The status of success. Default 200. */
  readonly status?: 200 | 201 | undefined
  /** The body of the answer. */
  readonly output: R
  answer(output: z.output<M['output']>, request: RouteRequest<Path, Q, B>): z.input<R>
}

/** What a file route answers. With a header `ETag` the server answers 304 to who has it. */
export interface ServedFile {
  readonly status?: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/** An HTTP address that anybody may get, whose answer is no JSON. It is limited by address. */
export interface FileRoute<Ctx, Path extends string = string> extends Address<Path> {
  readonly kind: 'file'
  readonly method: 'GET'
  readonly limit: RateLimit
  /** The types that it answers with: `image/png`. */
  readonly contentTypes: readonly string[]
  /** @throws RpcError NOT_FOUND, answered as JSON */
  serve(args: { ctx: Ctx; params: ParamsOf<Path> }): ServedFile | Promise<ServedFile>
}

// biome-ignore-start lint/suspicious/noExplicitAny: routes are contravariant in what they are given, so `unknown` would fit none
export type AnyMethodRoute = MethodRoute<any, any, any, any, any>
export type AnyFileRoute = FileRoute<any, any>
// biome-ignore-end lint/suspicious/noExplicitAny: see above
export type AnyRoute = AnyMethodRoute | AnyFileRoute
/** What some route of a method is given. */
export type ReadRequest = Parameters<AnyMethodRoute['input']>[0]

/** Reads a request by the schemas of its route. @throws RpcError VALIDATION_FAILED, with the names that the client sent */
export function readRoute(
  { query, body }: AnyMethodRoute,
  sent: { readonly params: object; readonly query: unknown; readonly body: unknown },
): ReadRequest {
  return { params: sent.params, query: readPart(query, sent.query), body: readPart(body, sent.body) }
}

function readPart(schema: z.ZodType | undefined, sent: unknown): unknown {
  if (!schema) return {}
  const parsed = schema.safeParse(sent)
  if (!parsed.success) throw invalid(toIssues(parsed.error))
  return parsed.data
}

/** `route()` and `fileRoute()` for handlers that are given a `Ctx`. */
export function routeDefiners<Ctx>() {
  return {
    route<
      const Path extends string,
      I extends z.ZodType,
      O extends z.ZodType,
      Q extends z.ZodType,
      B extends z.ZodType,
      R extends z.ZodType,
      // biome-ignore lint/suspicious/noExplicitAny: a method is contravariant in its context and prepared value
      M extends Method<any, any, I, O, any, any>,
    >(definition: Omit<MethodRoute<Path, M, Q, B, R>, 'kind'>): MethodRoute<Path, M, Q, B, R> {
      return { ...definition, kind: 'method' }
    },

    fileRoute<const Path extends string>(
      definition: Omit<FileRoute<Ctx, Path>, 'kind' | 'method'>,
    ): FileRoute<Ctx, Path> {
      return { ...definition, kind: 'file', method: 'GET' }
    },
  }
}
