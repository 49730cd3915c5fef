import { RallyError } from './errors.ts'
import type {
  CreatedPasskey,
  PasskeyAnswer,
  PasskeyCreation,
  PasskeyRequest,
  PasskeyStep,
  SignedPasskey,
} from './types.ts'

/** Whether this browser has passkeys: only on https, or on its own machine. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && typeof navigator !== 'undefined' && 'credentials' in navigator
}

/**
 * Shows the browser's dialog for a new passkey.
 *
 * @throws RallyError `PASSKEY_CANCELLED`, `PASSKEY_KNOWN`, `PASSKEY_UNSUPPORTED`, `PASSKEY_FAILED`
 */
export async function createPasskey(creation: PasskeyCreation, signal?: AbortSignal): Promise<CreatedPasskey> {
  const { challenge, user, excludeCredentials, pubKeyCredParams, ...rest } = creation
  const publicKey = {
    ...rest,
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
    pubKeyCredParams: [...pubKeyCredParams],
    excludeCredentials: excludeCredentials.map(descriptorOf),
  }
  const { id, response } = await dialog(() => navigator.credentials.create({ publicKey, ...(signal && { signal }) }))
  if (!('attestationObject' in response)) throw failed()
  const { clientDataJSON, attestationObject } = response
  const transports = response.getTransports?.() ?? []
  const answer = { clientDataJSON: textOf(clientDataJSON), attestationObject: textOf(attestationObject), transports }
  return { id, type: 'public-key', response: answer }
}

/** Shows the browser's dialog for a passkey that the user has. @throws RallyError as `createPasskey` */
export async function signWithPasskey(request: PasskeyRequest, signal?: AbortSignal): Promise<SignedPasskey> {
  const { challenge, allowCredentials, ...rest } = request
  const publicKey = {
    ...rest,
    challenge: bytesOf(challenge),
    allowCredentials: allowCredentials.map(descriptorOf),
  }
  const { id, response } = await dialog(() => navigator.credentials.get({ publicKey, ...(signal && { signal }) }))
  if (!('signature' in response)) throw failed()
  const { clientDataJSON, authenticatorData, signature, userHandle } = response
  const answer = {
    clientDataJSON: textOf(clientDataJSON),
    authenticatorData: textOf(authenticatorData),
    signature: textOf(signature),
    ...(userHandle && { userHandle: textOf(userHandle) }),
  }
  return { id, type: 'public-key', response: answer }
}

/** Answers a step of a sign-in by the browser's dialog. @throws RallyError as `createPasskey` */
export async function askBrowser(step: PasskeyStep): Promise<PasskeyAnswer> {
  const credential = step.status === 'passkey' ? signWithPasskey(step.request) : createPasskey(step.creation)
  return { credential: await credential }
}

interface Answer {
  readonly id: string
  readonly response: AuthenticatorAttestationResponse | AuthenticatorAssertionResponse
}

/** Fields are read one by one, because password managers answer with objects whose `toJSON()` throws. */
async function dialog(show: () => Promise<Credential | null>): Promise<Answer> {
  if (!hasPasskeys()) throw new RallyError('PASSKEY_UNSUPPORTED', 'This browser has no passkeys, or not on this page')
  let credential: Credential | null
  try {
    credential = await show()
  } catch (error) {
    throw toRallyError(error)
  }
  if (!isAnswer(credential)) throw failed()
  return { id: textOf(credential.rawId), response: credential.response }
}

function isAnswer(credential: object | null): credential is Answer & { readonly rawId: ArrayBuffer } {
  return credential !== null && 'rawId' in credential && 'response' in credential
}

/** The names are those of WebAuthn, 5.1.3 and 5.1.4. Browsers do not tell why a dialog ended without an answer. */
function toRallyError(error: unknown): RallyError {
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'AbortError':
      return new RallyError('PASSKEY_CANCELLED', 'The dialog was cancelled, or took too long')
    case 'InvalidStateError':
      return new RallyError('PASSKEY_KNOWN', 'This authenticator has a passkey of the user already')
    default:
      return failed(error)
  }
}

function failed(error?: unknown): RallyError {
  return new RallyError('PASSKEY_FAILED', error instanceof Error ? error.message : 'The browser gave no passkey')
}

function descriptorOf({ id, transports, type }: PasskeyRequest['allowCredentials'][number]) {
  // A browser ignores the transports that it does not know.
  return { id: bytesOf(id), type, transports: transports.map((transport) => transport as AuthenticatorTransport) }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (each) => each.charCodeAt(0))
}

function textOf(bytes: ArrayBuffer): string {
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
