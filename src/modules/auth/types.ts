import { z } from 'zod'
import { tokenScopes } from '../../protocol/index.ts'
import { oneLine } from '../shown-text.ts'
import { SessionId, Timestamp, UserId } from '../wire.ts'

export const User = z.object({
  id: UserId,
  username: z.string(),
  displayName: z.string(),
  createdAt: Timestamp,
  role: z.enum(['player', 'admin']),
  /** When an admin last reset the authenticator. */
  authenticatorResetAt: Timestamp.nullable(),
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

/** Bytes in base64url, as WebAuthn writes them in JSON. */
const base64url = (maxLength: number) =>
  z
    .string()
    .regex(/^[\w-]+$/, 'base64url')
    .max(maxLength)
/** 1,023 bytes at most (WebAuthn, 4). */
const CredentialId = base64url(1364)
const PublicKey = z.literal('public-key')
const Transports = z.array(z.string().regex(/^[a-z-]{1,20}$/)).max(8)
const KnownCredentials = z.array(z.object({ id: CredentialId, type: PublicKey, transports: Transports }))

/** What `navigator.credentials.get()` needs: PublicKeyCredentialRequestOptionsJSON of WebAuthn, 5.5. */
export const PasskeyRequest = z.object({
  challenge: z.string(),
  rpId: z.string(),
  /** Milliseconds. */
  timeout: z.number().int(),
  userVerification: z.literal('required'),
  allowCredentials: KnownCredentials,
})
export type PasskeyRequest = z.infer<typeof PasskeyRequest>

/** What `navigator.credentials.create()` needs: PublicKeyCredentialCreationOptionsJSON of WebAuthn, 5.4. */
export const PasskeyCreation = z.object({
  challenge: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.object({ type: PublicKey, alg: z.number().int() })),
  /** Milliseconds. */
  timeout: z.number().int(),
  attestation: z.literal('none'),
  authenticatorSelection: z.object({
    residentKey: z.literal('preferred'),
    requireResidentKey: z.literal(false),
    userVerification: z.literal('required'),
  }),
  excludeCredentials: KnownCredentials,
})
export type PasskeyCreation = z.infer<typeof PasskeyCreation>

/** The code or the recovery code was right, and a passkey has to follow: one of the user's, or a new one. */
export const PasskeyAsked = z.discriminatedUnion('status', [
  z.object({ status: z.literal('passkey'), request: PasskeyRequest }),
  z.object({ status: z.literal('newPasskey'), creation: PasskeyCreation }),
])
export type PasskeyAsked = z.infer<typeof PasskeyAsked>

/** The answer of `auth.verify` and `auth.recover`. `PasskeyAsked` comes only where `SECOND_FACTOR` is `passkey`. */
export const Verified = z.union([Authorized, PasskeyAsked])
export type Verified = z.infer<typeof Verified>

/** What a browser answers to a PasskeyCreation, as JSON (WebAuthn, 5.1). Rally reads no more of it than this. */
export const CreatedPasskey = z.object({
  id: CredentialId,
  type: PublicKey,
  response: z.object({
    clientDataJSON: base64url(4096),
    attestationObject: base64url(6144),
    transports: Transports.optional(),
  }),
})
export type CreatedPasskey = z.infer<typeof CreatedPasskey>

/** What a browser answers to a PasskeyRequest. */
export const SignedPasskey = z.object({
  id: CredentialId,
  type: PublicKey,
  response: z.object({
    clientDataJSON: base64url(4096),
    authenticatorData: base64url(2048),
    signature: base64url(2048),
    userHandle: base64url(86).nullish(),
  }),
})
export type SignedPasskey = z.infer<typeof SignedPasskey>

export const PasskeyId = z.string().min(1).max(40).brand<'PasskeyId'>()
export type PasskeyId = z.infer<typeof PasskeyId>

/** What the user calls a passkey or a token. */
const OwnName = oneLine(1, 40)

export const PasskeyName = OwnName

/** A passkey as its user sees it. */
export const PasskeyInfo = z.object({
  id: PasskeyId,
  name: z.string(),
  /** It may be copied to other devices of the user, as by a password manager. */
  synced: z.boolean(),
  createdAt: Timestamp,
  /** Null while it was only made. */
  lastUsedAt: Timestamp.nullable(),
})
export type PasskeyInfo = z.infer<typeof PasskeyInfo>

/** The answer of `auth.addPasskey`: first what the browser needs, then the passkey that was added. */
export const PasskeyAdded = z.discriminatedUnion('status', [
  z.object({ status: z.literal('newPasskey'), creation: PasskeyCreation }),
  z.object({ status: z.literal('added'), passkey: PasskeyInfo }),
])
export type PasskeyAdded = z.infer<typeof PasskeyAdded>

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

/** Why a session is over. `reset`: an admin has reset the authenticator. `message` tells a banned user why. */
export const SessionEnd = z.object({
  reason: z.enum(['logout', 'revoked', 'expired', 'banned', 'reset', 'removed']),
  message: z.string().optional(),
})
export type SessionEnd = z.infer<typeof SessionEnd>

export const TokenId = z.string().min(1).max(40).brand<'TokenId'>()
export type TokenId = z.infer<typeof TokenId>

const Scopes = z.array(z.enum(tokenScopes))

/** Input of `auth.createToken`. */
export const NewToken = z.object({
  name: OwnName,
  scopes: Scopes.min(1).max(tokenScopes.length),
  expiresInDays: z.number().int().min(1).max(365).default(90),
})
export type NewToken = z.infer<typeof NewToken>

/** The only answer that has the token itself. */
export const CreatedToken = z.object({ tokenId: TokenId, token: z.string() })
export type CreatedToken = z.infer<typeof CreatedToken>

/** A token as its user sees it. */
export const TokenInfo = z.object({
  id: TokenId,
  name: z.string(),
  scopes: Scopes,
  createdAt: Timestamp,
  /** Exact to a minute. Null while it was only made. */
  lastUsedAt: Timestamp.nullable(),
  expiresAt: Timestamp,
})
export type TokenInfo = z.infer<typeof TokenInfo>
