import { App, us_socket_local_port } from 'uWebSockets.js'
import { z } from 'zod'
import { report } from '../support/child.ts'
import { answer, Input } from './method.ts'

// The same job written by hand: uWebSockets.js, JSON and zod, and nothing else.
const Envelope = z.object({
  type: z.string().max(65),
  eid: z.string().min(1).max(64),
  ts: z.number(),
  data: z.unknown(),
})

App()
  .ws('/ws', {
    maxPayloadLength: 64 * 1024,
    message(ws, message) {
      const envelope = Envelope.safeParse(JSON.parse(Buffer.from(message).toString()))
      if (!envelope.success) return
      const { type, eid, data } = envelope.data
      if (type !== 'bench.say') return
      const input = Input.safeParse(data)
      if (!input.success) return
      ws.send(JSON.stringify({ type, data: answer(input.data), eid, ts: Date.now() }))
    },
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket) report(us_socket_local_port(socket))
  })
