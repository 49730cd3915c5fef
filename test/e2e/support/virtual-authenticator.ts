import { generateKeyPairSync } from 'node:crypto'
import type { CDPSession } from 'playwright-core'
import type { Visitor } from './visitor.ts'

/** A security key in somebody's browser, which its user touches and unlocks at once. */
export class VirtualAuthenticator {
  readonly #session: CDPSession
  readonly #id: string

  private constructor(session: CDPSession, id: string) {
    this.#session = session
    this.#id = id
  }

  static async plugIn({ context, page }: Visitor, transport: 'internal' | 'usb' = 'internal') {
    const session = await context.newCDPSession(page)
    await session.send('WebAuthn.enable')
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport,
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return new VirtualAuthenticator(session, authenticatorId)
  }

  /** Whether the user gives the right PIN or finger. */
  async unlock(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified })
  }

  async count(): Promise<number> {
    return (await this.#credentials()).length
  }

  /** Its passkeys keep their names and get other keys. */
  async corrupt(): Promise<void> {
    for (const credential of await this.#credentials()) {
      const { credentialId } = credential
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const key = privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
      await this.#session.send('WebAuthn.removeCredential', { authenticatorId: this.#id, credentialId })
      const changed = { ...credential, privateKey: key }
      await this.#session.send('WebAuthn.addCredential', { authenticatorId: this.#id, credential: changed })
    }
  }

  /** It is lost, with its passkeys. */
  async unplug(): Promise<void> {
    await this.#session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#id })
  }

  async #credentials() {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id })
    return credentials
  }
}
