import { Store } from '../store.ts'
import { Outbox } from './outbox.ts'
import { type Devices, OwnMedia } from './own-media.ts'
import { Peer } from './peer.ts'
import { readSending, readSignal, type Sending, type Signal, SOURCES } from './signals.ts'

/** What a call needs of its room. Listeners get what is sent from now on; the functions that come back end that. */
export interface CallLine {
  readonly userId: string
  iceServers(): Promise<readonly RTCIceServer[]>
  /** Nothing is kept for a user who is not connected. Resolves as `SendSignal` does. */
  signal(to: string, signal: Signal): Promise<number | null>
  sending(state: Sending): void
  /** `opened` is called when signals begin to arrive, and again after each cut, in which some may have been lost. */
  onSignal(next: (from: string, payload: unknown) => void, opened: () => void): () => void
  onSending(next: (from: string, payload: unknown) => void): () => void
}

export interface Participant {
  readonly userId: string
  /** The user's page has said that it is in the call. */
  readonly isHere: boolean
  readonly state: RTCPeerConnectionState
  readonly streams: Peer['streams']
  readonly sending: Sending | null
}

export interface CallState {
  readonly status: 'joining' | 'on' | 'failed' | 'elsewhere'
  /** The other users of the room whose pages are in the call. */
  readonly participants: readonly Participant[]
}

/** A connection that fails so often at once is given up. */
const MAX_FAILURES = 5

/** A call among the users of a room: a connection from each page to each other one (a mesh). */
export class Call extends Store<CallState> {
  readonly media = new OwnMedia()
  readonly #line: CallLine
  /** Names this page among those of its user, now and before. */
  readonly #page = crypto.randomUUID()
  readonly #peers = new Map<string, Peer>()
  readonly #outboxes = new Map<string, Outbox>()
  readonly #sending = new Map<string, Sending>()
  /** Of the connection to each user since it last worked. */
  readonly #failures = new Map<string, number>()
  /** Signals arrive. */
  #isListening = false
  /** The room has told this page's state back: a state of another page is newer. */
  #isKnown = false
  /** Signals of one user are taken one after the other. */
  readonly #taking = new Map<string, Promise<void>>()
  #iceServers: readonly RTCIceServer[] = []
  #members: readonly string[] = []
  readonly #stops: (() => void)[] = []
  readonly #tabs = new BroadcastChannel('rally-call')
  #isClosed = false

  constructor(line: CallLine) {
    super({ status: 'joining', participants: [] })
    this.#line = line
    // Two pages of one user would answer the same signals.
    this.#tabs.onmessage = () => this.#close('elsewhere')
    // The others need not wait until the connection is given up.
    addEventListener('pagehide', this.#leavePage)
  }

  /** Asks for these devices, and calls everybody who is in the call. */
  async join(devices: Devices): Promise<void> {
    this.#tabs.postMessage('here')
    try {
      const [iceServers] = await Promise.all([this.#line.iceServers(), this.media.open(devices)])
      this.#iceServers = iceServers
    } catch {
      this.#close('failed')
    }
    if (this.#isClosed) return
    this.#stops.push(
      this.#line.onSignal(
        (from, payload) => this.#receive(from, payload),
        () => {
          // Those who answer a greeting do so at once.
          this.#greetAll(!this.#isListening)
          this.#isListening = true
          this.#sendTracks()
        },
      ),
      this.#line.onSending((from, payload) => this.#noteSending(from, payload)),
      this.media.onChange(() => this.#sendTracks()),
    )
    this.set({ ...this.current, status: 'on' })
  }

  /** Who is in the room, this user too. Who has left it is not called any more. */
  setMembers(userIds: readonly string[]): void {
    const before = this.#members
    this.#members = userIds.filter((userId) => userId !== this.#line.userId)
    for (const userId of [...this.#peers.keys()]) if (!this.#members.includes(userId)) this.#drop(userId)
    for (const [userId, outbox] of this.#outboxes) {
      if (this.#members.includes(userId)) continue
      outbox.close()
      this.#outboxes.delete(userId)
    }
    if (!this.#isListening) return
    for (const userId of this.#members) if (!before.includes(userId)) this.#greet(userId, true)
    this.#show()
  }

  // A browser may keep the page for the way back: it then offers to join again.
  readonly #leavePage = () => this.#close('failed')

  /** Leaves the call. */
  close(): void {
    this.#close(this.current.status)
  }

  #close(status: CallState['status']): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.current.status === 'on') {
      for (const userId of this.#peers.keys()) void this.#line.signal(userId, { type: 'bye', page: this.#page })
    }
    for (const outbox of this.#outboxes.values()) outbox.close()
    removeEventListener('pagehide', this.#leavePage)
    for (const stop of this.#stops) stop()
    for (const peer of this.#peers.values()) peer.close()
    this.#peers.clear()
    this.media.close()
    this.#tabs.close()
    this.set({ status, participants: [] })
  }

  #greetAll(isNew: boolean): void {
    for (const userId of this.#members) this.#greet(userId, isNew || !this.#peers.has(userId))
  }

  #greet(userId: string, isNew: boolean, isAnswer = false): void {
    this.#send(userId, { type: 'hello', page: this.#page, isNew, isAnswer })
  }

  #send(userId: string, signal: Signal): void {
    if (this.#isClosed || !this.#members.includes(userId)) return
    const outbox = this.#outboxes.get(userId) ?? new Outbox((next) => this.#line.signal(userId, next))
    this.#outboxes.set(userId, outbox)
    outbox.push(signal)
  }

  #receive(from: string, payload: unknown): void {
    const signal = readSignal(payload)
    if (!signal || from === this.#line.userId) return
    const taking = (this.#taking.get(from) ?? Promise.resolve())
      .then(() => (this.#isClosed ? undefined : this.#take(from, signal)))
      // A connection that does not take a signal is made again.
      .catch(() => {
        const failures = (this.#failures.get(from) ?? 0) + 1
        this.#failures.set(from, failures)
        this.#drop(from)
        if (failures < MAX_FAILURES) this.#greet(from, true)
      })
      .finally(() => {
        if (this.#taking.get(from) === taking) this.#taking.delete(from)
      })
    this.#taking.set(from, taking)
  }

  async #take(from: string, signal: Signal): Promise<void> {
    const peer = this.#peers.get(from)
    const known = peer?.page === signal.page ? peer : null
    switch (signal.type) {
      case 'hello': {
        if (known && !signal.isNew) known.repeat()
        // The answer to a hello that was answered meanwhile.
        else if (!known || !signal.isAnswer) this.#connect(from, signal.page)
        if (!signal.isAnswer) this.#greet(from, !known || signal.isNew, true)
        return
      }
      case 'bye':
        if (known) this.#drop(from)
        return
      default:
        if (signal.to !== this.#page) return
        if (known) await known.take(signal)
        // Its hello was lost.
        else if (!peer) this.#greet(from, true)
    }
  }

  #connect(userId: string, page: string): void {
    this.#drop(userId)
    const { audio, video, screen } = this.media.current
    const peer = new Peer(page, {
      iceServers: this.#iceServers,
      isPolite: this.#line.userId > userId,
      tracks: { audio, video, screen },
      send: (signal) => this.#send(userId, { ...signal, page: this.#page, to: page }),
      changed: () => {
        if (peer.state === 'connected') this.#failures.delete(userId)
        this.#show()
      },
    })
    this.#peers.set(userId, peer)
    this.#show()
  }

  #drop(userId: string): void {
    this.#peers.get(userId)?.close()
    this.#outboxes.get(userId)?.keepGreetings()
    this.#peers.delete(userId)
    this.#show()
  }

  #sendTracks(): void {
    const { current } = this.media
    for (const peer of this.#peers.values()) {
      for (const source of SOURCES) {
        // It fails where the connection is closed.
        peer.sendTrack(source, current[source]).catch(() => undefined)
      }
    }
    const [audio, video, screen] = SOURCES.map((source) => current[source] !== null)
    this.#line.sending({ page: this.#page, audio: audio ?? false, video: video ?? false, screen: screen ?? false })
  }

  #noteSending(from: string, payload: unknown): void {
    const data = readSending(payload)
    if (!data) return
    if (from === this.#line.userId) {
      if (data.page === this.#page) this.#isKnown = true
      else if (this.#isKnown) this.#close('elsewhere')
      return
    }
    this.#sending.set(from, data)
    for (const userId of this.#sending.keys()) {
      if (userId !== from && !this.#members.includes(userId)) this.#sending.delete(userId)
    }
    this.#show()
  }

  #show(): void {
    if (this.#isClosed) return
    const participants = this.#members.map((userId): Participant => {
      const peer = this.#peers.get(userId)
      const sending = this.#sending.get(userId)
      return {
        userId,
        isHere: peer !== undefined,
        state: peer?.state ?? 'new',
        streams: peer ? { ...peer.streams } : { audio: null, video: null, screen: null },
        sending: sending && sending.page === peer?.page ? sending : null,
      }
    })
    this.set({ ...this.current, participants })
  }
}
