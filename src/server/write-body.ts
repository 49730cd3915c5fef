import type { HttpResponse } from './uws.ts'

const READ_DEADLINE_MS = 60_000

/**
 * Ends a response with its body, and writes no more of it than the connection takes, so that a client that does not read costs
 * no copy of the body. The addon closes a connection on which the next request comes before this one is answered. A client
 * that takes too long is cut, because others need its connection.
 *
 * Call it within a cork, after the headers.
 *
 * @param onAbort is given what has to be called when the client leaves
 */
export function writeBody(res: HttpResponse, body: string | Uint8Array, onAbort: (listener: () => void) => void): void {
  const size = Buffer.byteLength(body)
  const [, isDone] = res.tryEnd(body, size)
  if (isDone) return
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const deadline = setTimeout(() => res.close(), READ_DEADLINE_MS)
  onAbort(() => clearTimeout(deadline))
  res.onWritable((offset) => {
    let isTaken = false
    let isOver = false
    res.cork(() => {
      ;[isTaken, isOver] = res.tryEnd(bytes.subarray(offset), size)
    })
    if (isOver) clearTimeout(deadline)
    return isTaken
  })
}
