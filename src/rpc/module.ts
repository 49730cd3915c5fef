import type { z } from 'zod'
import type { AnyMethod, AnySubscription, Method, Subscription } from './definition.ts'
import type { AnyRoute } from './route.ts'

export type Methods = Readonly<Record<string, AnyMethod>>
export type Subscriptions = Readonly<Record<string, AnySubscription>>

export interface Module<M extends Methods = Methods, S extends Subscriptions = Subscriptions> {
  readonly name: string
  readonly methods: M
  readonly subscriptions: S
  /** HTTP addresses besides `/rpc`. */
  readonly routes?: readonly AnyRoute[]
}

/** The types that a client of these modules needs. */
export type ApiOf<Modules extends Readonly<Record<string, Module>>> = {
  readonly [Name in keyof Modules]: ShapesOf<Modules[Name]['methods']> & ShapesOf<Modules[Name]['subscriptions']>
}

type ShapesOf<Definitions extends Methods | Subscriptions> = {
  readonly [Key in keyof Definitions]: Definitions[Key] extends Method<infer _C, infer _A, infer I, infer O, infer E>
    ? { readonly kind: 'method'; readonly input: z.input<I>; readonly output: z.output<O>; readonly errors: E }
    : Definitions[Key] extends Subscription<infer _C, infer _A, infer I, infer V, infer S, infer E>
      ? {
          readonly kind: 'subscription'
          readonly input: z.input<I>
          readonly snapshot: z.output<S>
          readonly event: z.output<V>
          readonly errors: E
        }
      : never
}
