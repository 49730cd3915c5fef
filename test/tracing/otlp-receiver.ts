import { createServer, type IncomingMessage } from 'node:http'
import { z } from 'zod'
import { within } from '../support/client.ts'

const Value = z.object({ stringValue: z.string().optional(), intValue: z.coerce.number().optional() })
const Attributes = z
  .array(z.object({ key: z.string(), value: Value }))
  .default([])
  .transform((all) => Object.fromEntries(all.map(({ key, value }) => [key, value.stringValue ?? value.intValue])))
const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: Attributes,
  status: z.object({ code: z.number().optional() }).default({}),
})
export type ReceivedSpan = z.infer<typeof Span>
const Request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
})

/** A collector: takes OTLP over HTTP with JSON, and keeps the spans. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = []
  readonly resources: ReceivedSpan['attributes'][] = []
  /** Every body as it came. */
  readonly bodies: string[] = []
  readonly headers: IncomingMessage['headers'][] = []
  readonly #waiting: (() => void)[] = []
  readonly #server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    this.headers.push(request.headers)
    this.bodies.push(body)
    if (request.url !== '/v1/traces') {
      response.writeHead(404).end()
      return
    }
    for (const { resource, scopeSpans } of Request.parse(JSON.parse(body)).resourceSpans) {
      this.resources.push(resource.attributes)
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans))
    }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
    for (const resume of this.#waiting.splice(0)) resume()
  })

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver()
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  get endpoint(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  /** The first span that fits, once it has been exported. */
  span(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    return within(this.#next(fits), 'the span', 10_000)
  }

  async #next(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    for (;;) {
      const found = this.spans.find(fits)
      if (found) return found
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
