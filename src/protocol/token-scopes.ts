/** What a token may be allowed to do for its user. */
export const tokenScopes = ['read', 'play', 'scores:write'] as const

export type TokenScope = (typeof tokenScopes)[number]
