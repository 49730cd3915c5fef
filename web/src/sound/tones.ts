/** One note of a sound. */
export interface Tone {
  readonly hz: number
  /** When it begins, after the start of the sound. Default 0. */
  readonly fromS?: number
  readonly lengthS: number
  readonly wave?: OscillatorType
  /** Beside the other tones, 0 to 1. Default 1. */
  readonly loudness?: number
}

/** Every sound of the page. They are made in the browser, so there are no files to load. */
export const sounds = {
  hit: [{ hz: 460, lengthS: 0.07, wave: 'triangle' }],
  wall: [{ hz: 230, lengthS: 0.06, wave: 'triangle', loudness: 0.7 }],
  drop: [
    { hz: 320, lengthS: 0.06, wave: 'triangle' },
    { hz: 180, fromS: 0.05, lengthS: 0.1, wave: 'triangle' },
  ],
  pointWon: [
    { hz: 587, lengthS: 0.12 },
    { hz: 880, fromS: 0.1, lengthS: 0.22 },
  ],
  pointLost: [
    { hz: 392, lengthS: 0.14 },
    { hz: 294, fromS: 0.12, lengthS: 0.24 },
  ],
  countdown: [{ hz: 523, lengthS: 0.12, loudness: 0.8 }],
  start: [{ hz: 1047, lengthS: 0.35, loudness: 0.8 }],
  collect: [
    { hz: 784, lengthS: 0.06 },
    { hz: 1175, fromS: 0.05, lengthS: 0.12 },
  ],
  invite: [
    { hz: 659, lengthS: 0.16 },
    { hz: 831, fromS: 0.14, lengthS: 0.16 },
    { hz: 988, fromS: 0.28, lengthS: 0.3 },
  ],
} as const satisfies Readonly<Record<string, readonly Tone[]>>

export type SoundName = keyof typeof sounds
