import type { Candidates, Description, Source } from './signals.ts'

/** A description or candidates, without the pages that send and get them. */
export type SignalBody = Omit<Description, 'page' | 'to'> | Omit<Candidates, 'page' | 'to'>

interface PeerOptions {
  readonly iceServers: readonly RTCIceServer[]
  /** Gives way when both offer at the same time. One of the two is polite. */
  readonly isPolite: boolean
  readonly tracks: Readonly<Record<Source, MediaStreamTrack | null>>
  send(signal: SignalBody): void
  /** The other page's media, or the state of the connection, changed. */
  changed(): void
}

/** How long a connection may be broken before it is looked for a new way. */
const PATIENCE_MS = 3_000
/** The wait before a connection that failed looks for a new way. It doubles each time until the connection works. */
const FIRST_RESTART_MS = 1_000
const MAX_RESTART_MS = 30_000

/**
 * The connection to one other page of a call. Offers and answers follow the pattern of "perfect negotiation" (W3C, WebRTC 1.0,
 * 10.7): each side offers when it needs to, and where two offers meet the polite side takes its own back. Each side sends on
 * three media lines of its own from the start, so that cameras and screens come and go without a new offer.
 */
export class Peer {
  /** The page at the other end. */
  readonly page: string
  /** The other page's media, by source. */
  readonly streams: Record<Source, MediaStream | null> = { audio: null, video: null, screen: null }
  readonly #connection: RTCPeerConnection
  readonly #options: PeerOptions
  readonly #senders: Readonly<Record<Source, RTCRtpTransceiver>>
  #sources: Readonly<Record<string, Source>> = {}
  #isOffering = false
  #ignoresOffer = false
  /** Since the connection last worked. */
  #restarts = 0
  #restartTimer: ReturnType<typeof setTimeout> | undefined

  constructor(page: string, options: PeerOptions) {
    this.page = page
    this.#options = options
    const { iceServers, tracks, changed } = options
    const connection = new RTCPeerConnection({ iceServers: [...iceServers] })
    this.#connection = connection
    const sender = (kind: 'audio' | 'video', track: MediaStreamTrack | null) => {
      const transceiver = connection.addTransceiver(track ?? kind, { direction: 'sendonly' })
      if (kind === 'video') limitCodecs(transceiver)
      return transceiver
    }
    this.#senders = {
      audio: sender('audio', tracks.audio),
      video: sender('video', tracks.video),
      screen: sender('video', tracks.screen),
    }
    connection.onnegotiationneeded = () => void this.#offer()
    connection.onicecandidate = ({ candidate }) => {
      if (candidate) options.send({ type: 'candidates', candidates: [candidate.toJSON()] })
    }
    connection.ontrack = () => this.#readTracks()
    connection.onconnectionstatechange = () => {
      this.#watch()
      changed()
    }
  }

  get state(): RTCPeerConnectionState {
    return this.#connection.connectionState
  }

  /** Sends another track of a source, or none. */
  async sendTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    await this.#senders[source].sender.replaceTrack(track)
  }

  /** Takes a description or candidates of the other page. Call it for one at a time, in their order. */
  async take(signal: SignalBody): Promise<void> {
    if (signal.type === 'candidates') {
      for (const candidate of signal.candidates) await this.#takeCandidate(candidate)
      return
    }
    const { description, sources } = signal
    const isMeeting = description.type === 'offer' && (this.#isOffering || this.#connection.signalingState !== 'stable')
    // An offer that was sent twice is answered twice.
    if (description.type === 'answer' && this.#connection.signalingState !== 'have-local-offer') return
    this.#ignoresOffer = isMeeting && !this.#options.isPolite
    if (this.#ignoresOffer) return
    this.#sources = sources
    // Takes back an own offer, where there is one.
    await this.#connection.setRemoteDescription(description)
    this.#readTracks()
    if (description.type !== 'offer') return
    await this.#connection.setLocalDescription()
    this.#describe()
  }

  /** The other page may have missed something: says again what it has to answer, and looks for a way if there is none. */
  repeat(): void {
    if (this.#connection.signalingState === 'have-local-offer') this.#describe()
    else if (this.state !== 'connected') this.#restartLater()
  }

  close(): void {
    clearTimeout(this.#restartTimer)
    this.#connection.onconnectionstatechange = null
    this.#connection.close()
  }

  async #takeCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.#connection.addIceCandidate(candidate)
    } catch (error) {
      // Others belong to an offer that was ignored, or to one before the last.
      if (!this.#ignoresOffer && !this.#connection.remoteDescription) throw error
    }
  }

  async #offer(): Promise<void> {
    try {
      this.#isOffering = true
      await this.#connection.setLocalDescription()
      this.#describe()
    } catch (error) {
      // A connection that was closed meanwhile needs no offer.
      if (this.#connection.signalingState !== 'closed') throw error
    } finally {
      this.#isOffering = false
    }
  }

  #describe(): void {
    const description = this.#connection.localDescription
    if (description?.type !== 'offer' && description?.type !== 'answer') return
    const sources: Record<string, Source> = {}
    for (const source of ['audio', 'video', 'screen'] as const) {
      const { mid } = this.#senders[source]
      if (mid !== null) sources[mid] = source
    }
    const { type, sdp } = description
    this.#options.send({ type: 'description', description: { type, sdp }, sources })
  }

  #readTracks(): void {
    for (const { mid, receiver, currentDirection } of this.#connection.getTransceivers()) {
      const source = mid === null ? undefined : this.#sources[mid]
      if (!source || currentDirection === 'sendonly' || this.streams[source]?.getTracks()[0] === receiver.track)
        continue
      this.streams[source] = new MediaStream([receiver.track])
    }
    this.#options.changed()
  }

  #watch(): void {
    clearTimeout(this.#restartTimer)
    this.#restartTimer = undefined
    if (this.state === 'connected') this.#restarts = 0
    else if (this.state === 'failed') this.#restartLater()
    else if (this.state === 'disconnected') this.#restartLater(PATIENCE_MS)
  }

  #restartLater(minMs = 0): void {
    if (this.#restartTimer !== undefined) return
    const waitMs = Math.min(MAX_RESTART_MS, FIRST_RESTART_MS * 2 ** this.#restarts++)
    this.#restartTimer = setTimeout(
      () => {
        this.#restartTimer = undefined
        if (this.state !== 'connected') this.#connection.restartIce()
      },
      Math.max(minMs, waitMs),
    )
  }
}

/** Leaves the codec that every browser has (RFC 7742): a description with all of them for each media line is too long to send. */
function limitCodecs(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? []
  const wanted = codecs.filter(({ mimeType }) => /^video\/(VP8|rtx)$/i.test(mimeType))
  if (wanted.some(({ mimeType }) => /VP8/i.test(mimeType))) transceiver.setCodecPreferences?.(wanted)
}
