import { z } from 'zod'
import { clientFrame, RawClient } from '../support/raw-client.ts'
import type { User } from './scene.ts'

const TEXT = 1
const Answer = z.object({ eid: z.string(), error: z.string().optional(), data: z.unknown() })
type Answer = z.infer<typeof Answer>

/** A signed-in socket that asks one thing after another. */
export class Asker {
  readonly user: User
  readonly #client: RawClient
  #waiting: ((answer: Answer) => void) | undefined
  #asked = 0

  private constructor(user: User, client: RawClient) {
    this.user = user
    this.#client = client
    client.onFrame = (opcode, payload) => this.#take(opcode, payload)
  }

  /** `place` tells its address from others'. */
  static async open(port: number, user: User, place: number): Promise<Asker> {
    const address = `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`
    const headers = { cookie: user.cookie, 'x-forwarded-for': address, 'x-user': user.id }
    return new Asker(
      user,
      await RawClient.open(
        port,
        () => undefined,
        headers,
        () => undefined,
      ),
    )
  }

  /** @throws Error for an answer that is an error */
  async ask(type: string, data: unknown): Promise<unknown> {
    const eid = `${this.user.id.slice(0, 8)}-${this.#asked++}-${process.hrtime.bigint()}`
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting = resolve
      this.#client.write(clientFrame(JSON.stringify({ type, data, eid, ts: 1767225600000 })))
    })
    if (answer.error !== undefined) throw new Error(`${type}: ${answer.error} ${JSON.stringify(answer.data)}`)
    return answer.data
  }

  close(): void {
    this.#client.close()
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode !== TEXT) return
    const answer = Answer.parse(JSON.parse(payload.toString()))
    if (answer.eid.includes(this.user.id.slice(0, 8))) this.#waiting?.(answer)
  }
}
