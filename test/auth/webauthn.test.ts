import { test as base, describe, expect, vi } from 'vitest'
import { createLoggers } from '../../src/logger.ts'
import type { StoredPasskey } from '../../src/modules/auth/passkeys/stored-passkeys.ts'
import { WebAuthn } from '../../src/modules/auth/passkeys/webauthn.ts'
import { UserId } from '../../src/modules/wire.ts'
import { quietLoggers } from '../support/quiet-log.ts'
import { SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { PUBLIC_URL } from './passkey-harness.ts'

const USER = {
  id: UserId.parse('u1'),
  username: 'ann',
  displayName: 'Ann',
  createdAt: 0,
  role: 'player',
  authenticatorResetAt: null,
} as const

const test = base.extend(
  'webauthn',
  { scope: 'file' }, // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern that this needs nothing
  async ({}) => {
    const config = { publicUrl: PUBLIC_URL, allowedOrigins: new Set([PUBLIC_URL]) }
    const webauthn = new WebAuthn(config, quietLoggers().of('auth'))
    await webauthn.start()
    return webauthn
  },
)

/** The bytes with each bit changed, one at a time, but those of the bytes in `except`. */
function* spoilt(base64url: string, except: readonly number[] = []): Generator<string> {
  const bytes = Buffer.from(base64url, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    if (except.includes(bit >> 3)) continue
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield changed.toString('base64url')
  }
}

/** Where the DER encoding of a signature (`30 n 02 n r 02 n s`) has tags and lengths, which may be written in several ways. */
function derStructure(base64url: string): number[] {
  const lengthOfR = Buffer.from(base64url, 'base64url')[3] ?? 0
  return [0, 1, 2, 3, 4 + lengthOfR, 5 + lengthOfR]
}

async function made(webauthn: WebAuthn) {
  const key = new SoftwareAuthenticator(PUBLIC_URL)
  const creation = webauthn.creation(USER, [])
  const created = key.create(creation)
  const credential = await webauthn.verifyCreated(created, creation.challenge)
  if (!credential) throw new Error('the answer is right, and was not taken')
  const stored: StoredPasskey = {
    ...credential,
    id: 'p',
    userId: USER.id,
    name: 'p',
    createdAt: new Date(),
    lastUsedAt: null,
  }
  return { key, creation, created, stored }
}

describe('an answer with one wrong bit', () => {
  test.for(['clientDataJSON', 'authenticatorData', 'signature'] as const)(
    'in %s is no signature',
    async (field, { webauthn }) => {
      const { key, stored } = await made(webauthn)
      const request = webauthn.request([stored])
      const signed = key.sign(request)
      expect(await webauthn.verifySigned(signed, request.challenge, stored)).toBe(2)
      const right = signed.response[field]
      for (const wrong of spoilt(right, field === 'signature' ? derStructure(right) : [])) {
        const answer = { ...signed, response: { ...signed.response, [field]: wrong } }
        expect(await webauthn.verifySigned(answer, request.challenge, stored)).toBeNull()
      }
    },
  )

  test('or cut short makes nothing throw, and asks nobody else', async ({ webauthn }) => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no'))
    const { creation, created } = await made(webauthn)
    const { attestationObject } = created.response
    const cut = Array.from(attestationObject, (_, length) => attestationObject.slice(0, length))
    for (const wrong of [...spoilt(attestationObject), ...cut]) {
      const answer = { ...created, response: { ...created.response, attestationObject: wrong } }
      const taken = await webauthn.verifyCreated(answer, creation.challenge)
      if (taken) expect(Buffer.from(taken.credentialId).toString('base64url')).toBe(created.id)
    }
    for (const wrong of spoilt(created.response.clientDataJSON)) {
      const answer = { ...created, response: { ...created.response, clientDataJSON: wrong } }
      await webauthn.verifyCreated(answer, creation.challenge)
    }
    expect(fetched).not.toHaveBeenCalled()
    fetched.mockRestore()
  })
})

test('nothing of the challenges is logged when an answer is for another one', async () => {
  const lines: string[] = []
  const log = createLoggers({ level: 'debug', format: 'json', node: 'n', writeLine: (line) => void lines.push(line) })
  const webauthn = new WebAuthn({ publicUrl: PUBLIC_URL, allowedOrigins: new Set([PUBLIC_URL]) }, log.of('auth'))
  await webauthn.start()
  const { key, stored } = await made(webauthn)
  const [signed, asked] = [webauthn.request([stored]), webauthn.request([stored])]
  expect(await webauthn.verifySigned(key.sign(signed), asked.challenge, stored)).toBeNull()
  const text = lines.join('')
  expect(text).toContain('the answer of a passkey is wrong')
  // The library's message quotes both.
  expect(text).not.toMatch(/challenge/)
})
