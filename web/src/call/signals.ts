/** What a page sends of its own: the microphone, the camera, and the screen that it shares. */
export const SOURCES = ['audio', 'video', 'screen'] as const
export type Source = (typeof SOURCES)[number]

interface FromPage {
  /** Identifies one page in a call: a user may open another one, or load it again. */
  readonly page: string
}

/** This page is in the call. */
export interface Hello extends FromPage {
  readonly type: 'hello'
  /** Whatever connection there was is gone. */
  readonly isNew: boolean
  /** It answers another one, and expects no answer. */
  readonly isAnswer: boolean
}

/** An offer or an answer (SDP), for one page of the other user. */
export interface Description extends FromPage {
  readonly type: 'description'
  readonly to: string
  readonly description: { readonly type: 'offer' | 'answer'; readonly sdp: string }
  /** What the sender sends on which of its media lines, by `mid`. */
  readonly sources: Readonly<Record<string, Source>>
}

/** Ways to reach the sender (ICE), for one page of the other user. */
export interface Candidates extends FromPage {
  readonly type: 'candidates'
  readonly to: string
  readonly candidates: readonly RTCIceCandidateInit[]
}

/** This page leaves. */
export interface Bye extends FromPage {
  readonly type: 'bye'
}

/** What two pages of a call tell each other, over `rooms.signal`. */
export type Signal = Hello | Description | Candidates | Bye

/** What a page sends at the moment, over `rooms.relay`. */
export interface Sending extends FromPage {
  readonly audio: boolean
  readonly video: boolean
  readonly screen: boolean
}

/** The payload as a signal; null if it is none. It comes from another user's page, as it is. */
export function readSignal(payload: unknown): Signal | null {
  if (!isRecord(payload) || typeof payload.page !== 'string') return null
  const { type, page, to, description, candidates } = payload
  if (type === 'hello') return { type, page, isNew: payload.isNew === true, isAnswer: payload.isAnswer === true }
  if (type === 'bye') return { type, page }
  if (typeof to !== 'string') return null
  if (type === 'candidates') {
    return Array.isArray(candidates) ? { type, page, to, candidates: candidates.filter(isRecord) } : null
  }
  if (type !== 'description' || !isRecord(description) || typeof description.sdp !== 'string') return null
  const kind = description.type
  if (kind !== 'offer' && kind !== 'answer') return null
  const sources = readSources(payload.sources)
  return { type, page, to, description: { type: kind, sdp: description.sdp }, sources }
}

/** The same for what a page sends. */
export function readSending(payload: unknown): Sending | null {
  if (!isRecord(payload) || typeof payload.page !== 'string') return null
  const { page, audio, video, screen } = payload
  return { page, audio: audio === true, video: video === true, screen: screen === true }
}

function readSources(value: unknown): Record<string, Source> {
  const sources: Record<string, Source> = {}
  if (!isRecord(value)) return sources
  for (const [mid, name] of Object.entries(value)) {
    const source = SOURCES.find((each) => each === name)
    if (source) sources[mid] = source
  }
  return sources
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
