/** The types of one method. There is no value of this type. */
export interface MethodShape {
  readonly kind: 'method'
  readonly input: unknown
  readonly output: unknown
  readonly errors: string
}

/** The types of one subscription. There is no value of this type. */
export interface SubscriptionShape {
  readonly kind: 'subscription'
  readonly input: unknown
  readonly snapshot: unknown
  readonly event: unknown
  readonly errors: string
}

/** The types of a server's methods and subscriptions, by namespace and name. A client is typed by it. */
export type AnyApi = Readonly<Record<string, Readonly<Record<string, MethodShape | SubscriptionShape>>>>

/** The wire names of an api's methods or subscriptions: `'matches.create' | ...`. */
export type NameOf<Api extends AnyApi, Kind extends 'method' | 'subscription' = 'method' | 'subscription'> = {
  [Module in keyof Api & string]: {
    [Key in keyof Api[Module] & string]: Api[Module][Key]['kind'] extends Kind ? `${Module}.${Key}` : never
  }[keyof Api[Module] & string]
}[keyof Api & string]

type At<Api extends AnyApi, Name extends string> = Name extends `${infer Module}.${infer Key}`
  ? Api[Module][Key]
  : never

/** What goes into a method or subscription: `InputOf<Api, 'matches.create'>`. */
export type InputOf<Api extends AnyApi, Name extends NameOf<Api>> = At<Api, Name>['input']

/** What a method answers. */
export type OutputOf<Api extends AnyApi, Name extends NameOf<Api, 'method'>> =
  At<Api, Name> extends MethodShape ? At<Api, Name>['output'] : never

/** What a stream sends. */
export type EventOf<Api extends AnyApi, Name extends NameOf<Api, 'subscription'>> =
  At<Api, Name> extends SubscriptionShape ? At<Api, Name>['event'] : never

/** What a stream opens with. */
export type SnapshotOf<Api extends AnyApi, Name extends NameOf<Api, 'subscription'>> =
  At<Api, Name> extends SubscriptionShape ? At<Api, Name>['snapshot'] : never
