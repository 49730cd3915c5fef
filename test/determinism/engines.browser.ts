import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GameName, games } from '../../src/games/index.ts'
import { launchChromium } from '../e2e/support/chromium.ts'
import { playRandomGames, type Trace } from './play.ts'

const GAMES = 1_000
/** Some of the seeds are above 2^31. */
const FIRST_SEED = 2 ** 31 - GAMES / 2

declare global {
  /** What the bundle leaves in a page. */
  var determinism: typeof import('./play.ts') | undefined
}

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await launchChromium()
  page = await browser.newPage()
  await page.addScriptTag({ content: await bundle() })
})

afterAll(() => browser.close())

describe.each(Object.keys(games) as GameName[])('%s', (name) => {
  test(`${GAMES} random games are the same in Chromium and in Node`, { timeout: 60_000 }, async () => {
    const here = playRandomGames(name, FIRST_SEED, GAMES)
    const there = await page.evaluate(
      ([name, from, count]): Trace[] => {
        if (!globalThis.determinism) throw new Error('the bundle is not there')
        return globalThis.determinism.playRandomGames(name, from, count)
      },
      [name, FIRST_SEED, GAMES] as const,
    )

    const differing = here.flatMap((trace, index) => {
      const other = there[index]
      const at = trace.hashes.findIndex((hash, place) => hash !== other?.hashes[place])
      return at === -1 && trace.ticks === other?.ticks ? [] : [{ seed: FIRST_SEED + index, at }]
    })
    expect(there).toHaveLength(GAMES)
    expect(differing.slice(0, 10)).toEqual([])

    // They were games, each another one.
    expect(new Set(here.map(({ hashes }) => hashes.at(-1))).size).toBeGreaterThan(GAMES * 0.99)
    expect(here.filter(({ isFinished }) => isFinished).length).toBeGreaterThan(GAMES / 2)
    const hashes = here.reduce((sum, trace) => sum + trace.hashes.length, 0)
    const ticks = here.reduce((sum, trace) => sum + trace.ticks, 0)
    console.info(
      `${name}: ${GAMES} games, ${ticks} ticks, ${hashes} equal hashes in Chromium ${browser.version()} and Node ${process.versions.node}`,
    )
  })
})

/** The games and what plays them, as one script that any page takes. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      lib: {
        entry: fileURLToPath(new URL('./play.ts', import.meta.url)),
        formats: ['iife'],
        name: 'determinism',
      },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (!output || !('output' in output)) throw new Error('the bundler gave no bundle')
  return output.output[0].code
}
