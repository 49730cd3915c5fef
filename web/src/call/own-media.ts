import { Store } from '../store.ts'
import { SOURCES, type Source } from './signals.ts'

/** Why a device is not there. */
export type Trouble = 'denied' | 'missing' | 'busy' | 'unsupported'

export interface OwnTracks {
  readonly audio: MediaStreamTrack | null
  readonly video: MediaStreamTrack | null
  readonly screen: MediaStreamTrack | null
  /** Why the last attempt to get a source failed. */
  readonly trouble: Partial<Readonly<Record<Source, Trouble>>>
}

/** The devices that a user joins a call with. */
export type Devices = Readonly<Record<'audio' | 'video', boolean>>

/** This page's microphone, camera and screen. A source that is off is given back to the system. */
export class OwnMedia extends Store<OwnTracks> {
  #isClosed = false

  constructor() {
    super({ audio: null, video: null, screen: null, trouble: {} })
  }

  /** Asks for the devices at once, as browsers then ask their user once. What is not there stays off. */
  async open({ audio, video }: Devices): Promise<void> {
    if (audio && video) {
      try {
        this.#take(await ask(() => devices().getUserMedia({ audio: true, video: CAMERA })))
        return
      } catch {
        // One of the two is missing or denied: the other one may work.
      }
    }
    if (audio) await this.turnOn('audio')
    if (video) await this.turnOn('video')
  }

  async turnOn(source: Source): Promise<void> {
    try {
      const stream = await ask(() => {
        if (source === 'screen') return devices().getDisplayMedia({ video: true })
        return devices().getUserMedia(source === 'audio' ? { audio: true } : { video: CAMERA })
      })
      this.#take(stream, source)
    } catch (error) {
      this.#change({ trouble: { ...this.current.trouble, [source]: troubleOf(error) } })
    }
  }

  turnOff(source: Source): void {
    const track = this.current[source]
    if (!track) return
    track.onended = null
    track.stop()
    this.#change({ [source]: null })
  }

  close(): void {
    this.#isClosed = true
    for (const source of SOURCES) this.turnOff(source)
  }

  #take(stream: MediaStream, only?: Source): void {
    for (const track of stream.getTracks()) {
      const source = only ?? (track.kind === 'audio' ? 'audio' : 'video')
      // The call may be over before its user has answered the browser.
      if (this.#isClosed) {
        track.stop()
        continue
      }
      this.current[source]?.stop()
      // A device that was pulled out, or a screen whose sharing was ended in the browser.
      track.onended = () => {
        if (this.current[source] === track) this.#change({ [source]: null })
      }
      this.#change({ [source]: track, trouble: { ...this.current.trouble, [source]: undefined } })
    }
  }

  #change(change: Partial<OwnTracks>): void {
    this.set({ ...this.current, ...change })
  }
}

const CAMERA = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } }

function devices(): MediaDevices {
  // Browsers offer devices to pages on https and localhost alone.
  if (!navigator.mediaDevices) throw new DOMException('no devices here', 'NotSupportedError')
  return navigator.mediaDevices
}

async function ask(get: () => Promise<MediaStream>): Promise<MediaStream> {
  return get()
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException || error instanceof Error ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'missing' : 'unsupported'
}
