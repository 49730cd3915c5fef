import { styleText } from 'node:util'

interface Line {
  readonly level?: unknown
  readonly time?: unknown
  readonly name?: unknown
  readonly msg?: unknown
}

/** Pino's levels, five characters wide. */
const LEVELS: Readonly<Record<number, readonly [name: string, color: 'gray' | 'green' | 'yellow' | 'red']>> = {
  10: ['TRACE', 'gray'],
  20: ['DEBUG', 'gray'],
  30: ['INFO ', 'green'],
  40: ['WARN ', 'yellow'],
  50: ['ERROR', 'red'],
  60: ['FATAL', 'red'],
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu

/**
 * A JSON line of the log as people read it: time, level, logger, message, then the other fields, and the stacks of errors on
 * lines of their own. A line that is no JSON is given back.
 */
export function readableLine(written: string, colors: boolean): string {
  const paint = (color: Parameters<typeof styleText>[0], text: string) => (colors ? styleText(color, text) : text)
  let line: Line
  try {
    line = JSON.parse(written)
  } catch {
    return written
  }
  const { level, time, name, msg, ...fields } = line
  const [label, color] = LEVELS[Number(level)] ?? [String(level), 'gray']
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const shown: string[] = []
  const below: string[] = []
  for (const [key, value] of Object.entries(fields)) {
    // One process: its node says nothing.
    if (key === 'node') continue
    if (key === 'err' && typeof value === 'object' && value !== null)
      below.push(readableError(new Map(Object.entries(value))))
    else shown.push(`${paint('gray', `${key}=`)}${typeof value === 'string' ? onOneLine(value) : json(value)}`)
  }
  const head = [paint('gray', clock), paint(color, label), String(name ?? ''), onOneLine(String(msg ?? ''))]
  return `${[[...head, ...shown].join('  '), ...below].join('\n')}\n`
}

/** An error as `log-redaction.ts` describes it, with its causes. */
function readableError(fields: ReadonlyMap<string, unknown>): string {
  const { type = 'Error', message = '', stack, cause, ...rest } = Object.fromEntries(fields)
  const others = Object.entries(rest).map(([key, value]) => `${key}=${json(value)}`)
  const lines = [`    ${[onOneLine(`${type}: ${message}`), ...others].join('  ')}`]
  if (typeof stack === 'string') lines.push(...stack.split('\n').map(onOneLine))
  if (typeof cause === 'object' && cause !== null) {
    lines.push('    caused by', readableError(new Map(Object.entries(cause))))
  }
  return lines.join('\n')
}

/** `text`, quoted and escaped if it has a control character: what a client sent must not look like a line of its own. */
function onOneLine(text: string): string {
  return text.search(CONTROL) === -1 ? text : json(text)
}

/** JSON without control characters. `JSON.stringify` leaves some of them. */
function json(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return (JSON.stringify(value) ?? '').replace(CONTROL, escaped)
}
