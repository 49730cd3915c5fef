/** A text frame with one envelope, as a transport hands it over. */
export function frameOf(type: string, data: unknown, eid: string): ArrayBuffer {
  return new TextEncoder().encode(JSON.stringify({ type, data, eid, ts: Date.now() })).buffer
}
