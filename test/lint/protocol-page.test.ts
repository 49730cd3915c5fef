import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import type { ServiceModule } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { closeCodes, defaultLimits, frameworkCodes } from '../../src/protocol/index.ts'
import { decodeInput, decodeLiveFrame } from '../../src/protocol/live-frames.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'rally-page-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| '))
const declared = Object.values<ServiceModule>(modules).flatMap(({ methods, subscriptions }) =>
  [...Object.values(methods), ...Object.values(subscriptions)].flatMap(({ errors }) => [...errors]),
)

test('every error code and close code has a row', () => {
  // The tables of modules name them too, but do not say what they mean.
  const [, errors = ''] = /\n## Errors\n(.*?)\n## /s.exec(page) ?? []
  const explained = [...errors.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, codes = '']) =>
    codes.replaceAll('`', '').split(' '),
  )
  expect(explained.toSorted()).toEqual([...new Set([...frameworkCodes, ...declared])].toSorted())
  for (const code of Object.values(closeCodes)) expect(rows.some((row) => row.startsWith(`| ${code} |`))).toBe(true)
})

test('every limit has a row', () => {
  const limits = rows.filter((row) => row.startsWith('| `')).join('\n')
  for (const name of Object.keys(defaultLimits)) expect(limits).toContain(`\`${name}\``)
})

test('the times of a match are those of the configuration', () => {
  const { matches, heartbeatMs } = readConfig({ DATA_DIR: dataDir })
  expect(page).toContain(`The countdown (${matches.countdownMs / 1000} s)`)
  expect(page).toContain(`has ${matches.comeBackMs / 1000} s to come back`)
  expect(page).toContain(`waited for ${matches.maxWaitMs / 60_000} minutes`)
  expect(page).toContain(`or ${matches.maxTurnMs / 60_000} minutes without a turn`)
  expect(page).toContain(`at most ${matches.maxActive} matches`)
  expect(page).toContain(`"heartbeatMs":${heartbeatMs}`)
})

test('the examples of JSON are JSON', () => {
  const blocks = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text)
  expect(blocks.length).toBeGreaterThan(5)
  // A block holds one object over several lines, or one a line.
  const parse = (text: string) => JSON.parse(text)
  for (const block of blocks) {
    const isOneALine = block
      .trim()
      .split('\n')
      .every((line) => line.startsWith('{'))
    for (const text of isOneALine ? block.trim().split('\n') : [block]) expect(() => parse(text)).not.toThrow()
  }
})

test('the examples of binary frames are what they say', () => {
  const bytes = (hex: string) => Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16))
  expect(page).toContain('From a client `00 90 01 02` says: from the step of tick 400 on, seat 0 does input 2.')
  expect(decodeInput(bytes('00 90 01 02'))).toMatchObject({ tickWord: 400, seat: 0, index: 2 })
  const frames = [...page.matchAll(/^\| `((?:[0-9a-f]{2} )+[0-9a-f]{2})` \| (.*) \|$/gm)]
  expect(frames.map(([, hex = '']) => decodeLiveFrame(bytes(hex)))).toEqual([
    { kind: 'input', stream: 0, tickByte: 0, seat: 0, index: 1, moved: 0 },
    { kind: 'input', stream: 0, tickByte: 42, seat: 0, index: 2, moved: 0 },
    { kind: 'input', stream: 0, tickByte: 75, seat: 0, index: 1, moved: 9 },
    { kind: 'keyframe', stream: 0, tick: 60, hash: 0xaaf98958 },
    { kind: 'json', stream: 0, tickByte: 44, seat: 15, moved: 0, input: { a: 1 } },
    { kind: 'input', stream: 40, tickByte: 5, seat: 15, index: 15, moved: 0 },
    { kind: 'end', stream: 31, tick: 70_000, status: 'finished' },
  ])
})
