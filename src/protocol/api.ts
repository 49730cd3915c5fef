/** The types of one method as both ends see them. No value of this type exists: it only carries types. */
export interface MethodShape {
  readonly kind: 'method'
  readonly input: unknown
  readonly output: unknown
  readonly errors: string
}

/** The types of one subscription as both ends see them. */
export interface SubscriptionShape {
  readonly kind: 'subscription'
  readonly input: unknown
  readonly snapshot: unknown
  readonly event: unknown
  readonly errors: string
}

/** What a client is typed from: namespaces of methods and subscriptions, by their wire names. */
export type AnyApi = Readonly<Record<string, Readonly<Record<string, MethodShape | SubscriptionShape>>>>
