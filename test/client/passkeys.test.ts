import { afterEach, describe, expect, test, vi } from 'vitest'
import { createPasskey, hasPasskeys, type PasskeyStep, signWithPasskey } from '../../src/client/index.ts'
import { browserLike } from './cookies.ts'
import type { FakeServer } from './fake-server.ts'
import { connect, startServer } from './support.ts'

const USER = { id: 'u1', username: 'ana', displayName: 'Ana', createdAt: 1, role: 'player' }
const REQUEST = {
  challenge: 'AQID',
  rpId: 'localhost',
  timeout: 300_000,
  userVerification: 'required',
  allowCredentials: [{ id: '_-8', type: 'public-key', transports: ['usb'] }],
} as const
const CREATION = {
  challenge: 'AQID',
  rp: { id: 'localhost', name: 'Rally' },
  user: { id: 'dTE', name: 'ana', displayName: 'Ana' },
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  timeout: 300_000,
  attestation: 'none',
  authenticatorSelection: { residentKey: 'preferred', requireResidentKey: false, userVerification: 'required' },
  excludeCredentials: [],
} as const
const bytes = (...values: number[]) => Uint8Array.from(values).buffer

/** Credentials as a password manager gives them: not of the browser's classes, with a `toJSON` that throws. */
const toJSON = () => {
  throw new TypeError('Illegal invocation')
}
const created = {
  rawId: bytes(255, 239),
  toJSON,
  response: { clientDataJSON: bytes(1), attestationObject: bytes(2), getTransports: () => ['internal'] },
}
const signed = {
  rawId: bytes(255, 239),
  toJSON,
  response: { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3), userHandle: null },
}
const CREATED = {
  id: '_-8',
  type: 'public-key',
  response: { clientDataJSON: 'AQ', attestationObject: 'Ag', transports: ['internal'] },
}
const SIGNED = {
  id: '_-8',
  type: 'public-key',
  response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw' },
}

function stubBrowser() {
  const credentials = {
    create: vi.fn(async (_: object): Promise<object | null> => created),
    get: vi.fn(async (_: object) => signed),
  }
  vi.stubGlobal('PublicKeyCredential', class {})
  vi.stubGlobal('navigator', { credentials })
  return credentials
}
afterEach(() => void vi.unstubAllGlobals())

describe('the dialog of the browser', () => {
  test('is given bytes, and its answer becomes JSON without toJSON()', async () => {
    const credentials = stubBrowser()
    expect(hasPasskeys()).toBe(true)
    expect(await createPasskey(CREATION)).toEqual(CREATED)
    expect(credentials.create).toHaveBeenCalledWith({
      publicKey: {
        ...CREATION,
        challenge: Uint8Array.of(1, 2, 3),
        user: { ...CREATION.user, id: Uint8Array.of(117, 49) },
      },
    })
    expect(await signWithPasskey(REQUEST)).toEqual(SIGNED)
    const [known] = REQUEST.allowCredentials
    expect(credentials.get).toHaveBeenCalledWith({
      publicKey: {
        ...REQUEST,
        challenge: Uint8Array.of(1, 2, 3),
        allowCredentials: [{ ...known, id: Uint8Array.of(255, 239) }],
      },
    })
  })

  test.for([
    ['NotAllowedError', 'PASSKEY_CANCELLED'],
    ['AbortError', 'PASSKEY_CANCELLED'],
    ['InvalidStateError', 'PASSKEY_KNOWN'],
    ['SecurityError', 'PASSKEY_FAILED'],
  ])('that ends with %s is %s', async ([name, code]) => {
    const { create } = stubBrowser()
    create.mockRejectedValueOnce(new DOMException('x', name))
    await expect(createPasskey(CREATION)).rejects.toMatchObject({ code })
  })

  test('that gives nothing has failed, and one that is not there is unsupported', async () => {
    const { create } = stubBrowser()
    create.mockResolvedValueOnce(null)
    await expect(createPasskey(CREATION)).rejects.toMatchObject({ code: 'PASSKEY_FAILED' })
    vi.unstubAllGlobals()
    expect(hasPasskeys()).toBe(false)
    await expect(signWithPasskey(REQUEST)).rejects.toMatchObject({ code: 'PASSKEY_UNSUPPORTED' })
  })
})

/** A server that asks for a passkey after any code. */
async function servePasskeys(): Promise<FakeServer> {
  const server = await startServer()
  const asked = { data: { status: 'passkey', request: REQUEST } }
  server.on('auth.begin', () => ({ data: { status: 'user' } }))
  server.on('auth.verify', () => asked)
  server.on('auth.recover', () => asked)
  server.on('auth.recoverPasskey', ({ data }) => {
    const { recoveryCode } = data as { recoveryCode: string }
    if (recoveryCode !== 'r1') return { error: 'INVALID_CODE', data: { message: 'wrong' } }
    return { data: { status: 'newPasskey', creation: CREATION } }
  })
  server.on('auth.verifyPasskey', () => ({ data: { status: 'authorized', user: USER, token: 'ticket' } }))
  server.session = () => {
    server.user = { id: 'u1', username: 'ana' }
    return { status: 200, body: {}, cookie: 'rally=s3ss10n; Path=/; HttpOnly' }
  }
  return server
}

describe('signing in with a passkey', () => {
  test('shows the dialog of the browser', async () => {
    const server = await servePasskeys()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    stubBrowser()
    expect(await signIn.verify('123456')).toEqual({ user: USER })
    expect(server.received('auth.verifyPasskey')).toMatchObject([{ data: { credential: SIGNED } }])
  })

  test('asks the page where it wants to be asked, also with a recovery code', async () => {
    const server = await servePasskeys()
    const rally = connect(server, browserLike())
    const steps: string[] = []
    const passkey = async (step: PasskeyStep) => {
      await expect(step.recover('r0')).rejects.toMatchObject({ code: 'INVALID_CODE' })
      const next = await step.recover('r1')
      steps.push(step.status, next.status)
      stubBrowser()
      if (next.status !== 'newPasskey') throw new Error(next.status)
      return { credential: await createPasskey(next.creation), name: 'Phone' }
    }
    expect(await rally.recover('ana', 'r0', { passkey })).toEqual({ user: USER })
    expect(steps).toEqual(['passkey', 'newPasskey'])
    expect(server.received('auth.verifyPasskey')).toMatchObject([{ data: { credential: CREATED, name: 'Phone' } }])
  })

  test('fails as its page, its browser or the server does', async () => {
    const server = await servePasskeys()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'PASSKEY_UNSUPPORTED' })
    const given = signIn.verify('123456', { passkey: () => Promise.reject(new Error('given up')) })
    await expect(given).rejects.toThrow('given up')
    server.on('auth.verifyPasskey', () => ({ error: 'INVALID_PASSKEY', data: { message: 'wrong' } }))
    stubBrowser()
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'INVALID_PASSKEY' })
    expect(rally.user).toBeNull()
  })
})
