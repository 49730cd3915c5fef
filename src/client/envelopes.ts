import type { ServerMessage } from '../protocol/envelope.ts'

/** A request as it goes over the wire. `body` is JSON. */
export function encodeRequest(type: string, eid: string, body: string): string {
  return `{"type":${JSON.stringify(type)},"eid":${JSON.stringify(eid)},"ts":${Date.now()},"data":${body}}`
}

/** The JSON of `data`; undefined for what has none (a cycle, a bigint). */
export function encodeBody(data: unknown): string | undefined {
  try {
    return JSON.stringify(data ?? {})
  } catch {
    return undefined
  }
}

/** Whether `text` is longer than `maxBytes` in UTF-8, which takes one to three bytes for each unit of UTF-16. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false
  return text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes
}

/** What the server sent: trusted to follow the protocol once it is an object with a `type` and an `eid`. */
export function parseMessage(text: string): ServerMessage | undefined {
  try {
    const message: Partial<ServerMessage> | null = JSON.parse(text)
    return typeof message?.type === 'string' && typeof message.eid === 'string' ? (message as ServerMessage) : undefined
  } catch {
    return undefined
  }
}
