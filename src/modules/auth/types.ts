import { z } from 'zod'
import { SessionId, Timestamp, UserId } from '../wire.ts'

export const User = z.object({
  id: UserId,
  username: z.string(),
  displayName: z.string(),
  createdAt: Timestamp,
  role: z.enum(['player', 'admin']),
})
export type User = z.infer<typeof User>

/** Six digits from an authenticator app (RFC 6238). */
export const TotpCode = z.string().regex(/^\d{6}$/, 'six digits')

/** A new secret, in the three forms that authenticator apps accept. Nothing is stored until a code proves it. */
export const Candidate = z.object({
  status: z.literal('candidate'),
  /** `data:image/png;base64,...` */
  qrCode: z.string(),
  /** `otpauth://totp/...` */
  otpauthUrl: z.string(),
  /** The same secret in base32, to type by hand. */
  secret: z.string(),
})
export type Candidate = z.infer<typeof Candidate>

/** The answer of `auth.begin`: the name has an account, or it is free and may be registered with this secret. */
export const Begun = z.discriminatedUnion('status', [z.object({ status: z.literal('user') }), Candidate])
export type Begun = z.infer<typeof Begun>

/** The user has signed in: `POST /session` exchanges `token` for the session cookie, once and within 30 seconds. */
export const Authorized = z.object({
  status: z.literal('authorized'),
  user: User,
  token: z.string(),
  /** Only after a registration, and never again. */
  recoveryCodes: z.array(z.string()).optional(),
})
export type Authorized = z.infer<typeof Authorized>

/** The answer of `auth.rotateTotp`: first the new secret, then, once a code has proved it, the new recovery codes. */
export const Rotated = z.discriminatedUnion('status', [
  Candidate,
  z.object({ status: z.literal('rotated'), recoveryCodes: z.array(z.string()) }),
])
export type Rotated = z.infer<typeof Rotated>

/** One signed-in browser of the user. */
export const SessionInfo = z.object({
  id: SessionId,
  /** Whether it is the session of this request. */
  current: z.boolean(),
  userAgent: z.string(),
  ip: z.string(),
  createdAt: Timestamp,
  lastSeenAt: Timestamp,
  expiresAt: Timestamp,
})
export type SessionInfo = z.infer<typeof SessionInfo>

/** A session that has not ended: the snapshot of `auth.onSession`. */
export const OpenSession = z.object({ id: SessionId, expiresAt: Timestamp })
export type OpenSession = z.infer<typeof OpenSession>

/** Why a session is over. */
export const SessionEnd = z.object({ reason: z.enum(['logout', 'revoked', 'expired']) })
export type SessionEnd = z.infer<typeof SessionEnd>
