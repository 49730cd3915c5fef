import { requiredContext, Store } from '../store.ts'
import { type SoundName, sounds, type Tone } from './tones.ts'

export interface SoundSettings {
  /** Off until the user asks for sound. */
  readonly isOn: boolean
  /** 0 to 1. */
  readonly volume: number
}

const KEY = 'rally-sound'
const FIRST: SoundSettings = { isOn: false, volume: 0.6 }
/** The same sound is not heard twice within this time. */
const REPEAT_MS = 60

/** What the page lets its user hear. The settings are kept in this browser. */
export class Sound extends Store<SoundSettings> {
  #audio: AudioContext | null = null
  readonly #playedAt = new Map<SoundName, number>()

  constructor() {
    super(readSettings())
  }

  override set(settings: SoundSettings): void {
    super.set(settings)
    try {
      localStorage.setItem(KEY, JSON.stringify(settings))
    } catch {
      // Storage is off: the settings last as long as the page.
    }
  }

  /** Plays a sound, if the user wants any. Browsers allow none before the first press of a key or button. */
  play(name: SoundName): void {
    const { isOn, volume } = this.current
    if (!isOn || volume === 0 || !navigator.userActivation?.hasBeenActive) return
    const now = performance.now()
    if (now - (this.#playedAt.get(name) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return
    this.#playedAt.set(name, now)
    this.#audio ??= new AudioContext()
    const audio = this.#audio
    if (audio.state === 'suspended') audio.resume().catch(() => undefined)
    for (const tone of sounds[name]) playTone(audio, tone, volume)
  }
}

export const [SoundContext, useSound] = requiredContext<Sound>('SoundContext')

/** One note that fades away. */
function playTone(audio: AudioContext, { hz, fromS = 0, lengthS, wave = 'sine', loudness = 1 }: Tone, volume: number) {
  const from = audio.currentTime + fromS
  const oscillator = audio.createOscillator()
  const gain = audio.createGain()
  oscillator.type = wave
  oscillator.frequency.setValueAtTime(hz, from)
  // People hear loudness by its logarithm.
  const peak = Math.max(0.001, volume ** 2 * loudness * 0.5)
  gain.gain.setValueAtTime(0.0001, from)
  gain.gain.exponentialRampToValueAtTime(peak, from + 0.008)
  gain.gain.exponentialRampToValueAtTime(0.0001, from + lengthS)
  oscillator.connect(gain).connect(audio.destination)
  oscillator.start(from)
  oscillator.stop(from + lengthS)
}

function readSettings(): SoundSettings {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    if (typeof kept !== 'object' || kept === null) return FIRST
    const isOn = 'isOn' in kept && kept.isOn === true
    const volume = 'volume' in kept && typeof kept.volume === 'number' ? kept.volume : FIRST.volume
    return { isOn, volume: Math.min(1, Math.max(0, volume)) }
  } catch {
    // Storage is off, or holds something else.
    return FIRST
  }
}
