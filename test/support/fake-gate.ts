import { RpcError, type SessionGate, type SignedIn } from '../../src/rpc/index.ts'

/** Sessions in memory, with the failures of a database that tests need. */
export class FakeGate implements SessionGate {
  readonly sessions = new Map<string, SignedIn>()
  readonly tickets = new Map<string, SignedIn>()
  readonly calls: string[] = []
  /** While set, nothing answers before it resolves. */
  hold: Promise<void> | null = null
  fails = false

  async resume(sessionId: string, userId: string): Promise<SignedIn | null> {
    await this.#ask('resume')
    return this.#find(sessionId, userId)
  }

  async extend(sessionId: string, userId: string): Promise<SignedIn | null> {
    await this.#ask('extend')
    return this.#find(sessionId, userId)
  }

  async redeem(ticket: string): Promise<SignedIn> {
    await this.#ask('redeem')
    const signedIn = this.tickets.get(ticket)
    if (!signedIn) throw new RpcError('UNAUTHENTICATED', 'Not a ticket')
    this.tickets.delete(ticket)
    this.sessions.set(signedIn.sessionId, signedIn)
    return signedIn
  }

  async end(sessionId: string): Promise<void> {
    await this.#ask('end')
    this.sessions.delete(sessionId)
  }

  async #ask(what: string): Promise<void> {
    this.calls.push(what)
    await this.hold
    if (this.fails) throw new Error('no database')
  }

  #find(sessionId: string, userId: string): SignedIn | null {
    const found = this.sessions.get(sessionId)
    return found?.user.id === userId ? found : null
  }
}
