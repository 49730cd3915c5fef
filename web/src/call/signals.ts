import { z } from 'zod'

/** What a page sends of its own: the microphone, the camera, and the screen that it shares. */
export const SOURCES = ['audio', 'video', 'screen'] as const
export type Source = (typeof SOURCES)[number]

/** Identifies one page in a call: a user may open another one, or load it again. */
const PageId = z.string().min(1).max(40)

const Head = z.object({ page: PageId })
/** For one page of the other user, who may have several. */
const Addressed = Head.extend({ to: PageId })

/**
 * What two pages of a call tell each other, over `rooms.signal`.
 *
 * - `hello`: this page is in the call. `isNew`: whatever connection there was is gone. `isAnswer`: no answer is expected.
 * - `description`: an offer or an answer (SDP). `sources`: what the sender sends on which of its media lines, by `mid`.
 * - `candidate`: a way to reach the sender (ICE).
 * - `bye`: this page leaves.
 */
export const Signal = z.discriminatedUnion('type', [
  Head.extend({ type: z.literal('hello'), isNew: z.boolean(), isAnswer: z.boolean() }),
  Addressed.extend({
    type: z.literal('description'),
    description: z.object({ type: z.enum(['offer', 'answer']), sdp: z.string() }),
    sources: z.record(z.string(), z.enum(SOURCES)),
  }),
  Addressed.extend({
    type: z.literal('candidate'),
    candidate: z.object({
      candidate: z.string(),
      sdpMid: z.string().nullish(),
      sdpMLineIndex: z.number().nullish(),
      usernameFragment: z.string().nullish(),
    }),
  }),
  Head.extend({ type: z.literal('bye') }),
])
export type Signal = z.infer<typeof Signal>

/** What a page sends at the moment, over `rooms.relay`. */
export const Sending = z.object({ page: PageId, audio: z.boolean(), video: z.boolean(), screen: z.boolean() })
export type Sending = z.infer<typeof Sending>
