const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `3 minutes ago`, up to a week; then the date. Times in ms since the epoch. */
export function ago(then: number, now: number): string {
  const passed = Math.max(0, now - then)
  if (passed < MINUTE) return 'just now'
  if (passed < HOUR) return relative.format(-Math.floor(passed / MINUTE), 'minute')
  if (passed < DAY) return relative.format(-Math.floor(passed / HOUR), 'hour')
  if (passed < 7 * DAY) return relative.format(-Math.floor(passed / DAY), 'day')
  return day.format(then)
}

/** Day and time of day, for a `title`. */
export function exactTime(then: number): string {
  return `${day.format(then)}, ${clock.format(then)}`
}

/** `2:05` for a length in ms, rounded. */
export const duration = (ms: number) => minutesAndSeconds(Math.round(ms / 1000))

/** `2:05` for a place in time in ms: the last second that is over. */
export const clockTime = (ms: number) => minutesAndSeconds(Math.floor(ms / 1000))

function minutesAndSeconds(seconds: number): string {
  return `${Math.floor(Math.max(0, seconds) / 60)}:${String(Math.max(0, seconds) % 60).padStart(2, '0')}`
}

/** `in 42 seconds` or `in 3 minutes`, for a wait in ms. */
export function inWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  if (seconds < 90) return `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 90) return `in ${minutes} minutes`
  return `in ${Math.ceil(minutes / 60)} hours`
}

/** `about 12 seconds` or `about 3 minutes`, for a length in ms. */
export function aboutSo(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  if (seconds < 90) return `about ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
  return `about ${Math.round(seconds / 60)} minutes`
}

/** What a browser calls itself, short: `Firefox on Linux`. */
export function browserName(userAgent: string): string {
  const browser = first(userAgent, [
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrome\/|CriOS\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ])
  const system = first(userAgent, [
    [/Android/, 'Android'],
    [/iPhone|iPad|iPod/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X|Macintosh/, 'macOS'],
    [/Linux|X11/, 'Linux'],
  ])
  if (!browser && !system) return userAgent.slice(0, 40) || 'Unknown browser'
  return [browser ?? 'A browser', system ? `on ${system}` : ''].filter(Boolean).join(' ')
}

function first(text: string, names: readonly (readonly [RegExp, string])[]): string | null {
  return names.find(([pattern]) => pattern.test(text))?.[1] ?? null
}
