import { generateSecret, generateURI, verifySync } from 'otplib'
import type { Candidate } from '../types.ts'
import { drawQrCode } from './qr-code.ts'

/** RFC 6238 as every authenticator app has it: HMAC-SHA-1, six digits, steps of 30 s. */
const STEP_SECONDS = 30
const ISSUER = 'Rally'

/** 160 random bits in base32, the length that RFC 4226 recommends. */
export function newSecret(): string {
  return generateSecret({ length: 20 })
}

/**
 * The time step whose code `code` is, among the present one and its two neighbours; null when it is none of theirs.
 * Says nothing about whether that step's code was used before.
 */
export function matchStep(secret: string, code: string, nowMs: number): number | null {
  const result = verifySync({
    secret,
    token: code,
    algorithm: 'sha1',
    digits: 6,
    period: STEP_SECONDS,
    epoch: Math.floor(nowMs / 1000),
    epochTolerance: STEP_SECONDS,
  })
  return result.valid && 'timeStep' in result ? result.timeStep : null
}

/** Shows a secret to its owner. Drawing takes half a millisecond, so how often is for the caller to bound. */
export function present(username: string, secret: string): Candidate {
  const otpauthUrl = generateURI({ issuer: ISSUER, label: username, secret })
  return { status: 'candidate', qrCode: drawQrCode(otpauthUrl), otpauthUrl, secret }
}
