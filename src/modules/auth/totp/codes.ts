import { generateSecret, generateURI, verifySync } from 'otplib'
import type { Candidate } from '../types.ts'
import { drawQrCode } from './qr-code.ts'

/** RFC 6238 with what every authenticator app supports: HMAC-SHA-1, six digits, steps of 30 s. */
const STEP_SECONDS = 30
/** The drift: codes of this many steps before and after the present one are accepted too. */
const DRIFT_STEPS = 1
const ISSUER = 'Rally'

/** The time step of `code`, within the drift; null for a wrong code. The caller checks whether it was used before. */
export function matchStep(secret: string, code: string, nowMs: number): number | null {
  const result = verifySync({
    secret,
    token: code,
    algorithm: 'sha1',
    digits: 6,
    period: STEP_SECONDS,
    epoch: Math.floor(nowMs / 1000),
    epochTolerance: DRIFT_STEPS * STEP_SECONDS,
  })
  return result.valid && 'timeStep' in result ? result.timeStep : null
}

/** 160 random bits (RFC 4226, 4) in base32. */
export function newSecret(): string {
  return generateSecret({ length: 20 })
}

/** A new secret. Drawing its QR code takes 0.5 ms: the caller has to limit how often. */
export function newAuthenticator(username: string): Candidate {
  const secret = newSecret()
  const otpauthUrl = generateURI({ issuer: ISSUER, label: username, secret })
  return { status: 'candidate', qrCode: drawQrCode(otpauthUrl), otpauthUrl, secret }
}
