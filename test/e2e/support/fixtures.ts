import { type BrowserContextOptions, devices, type Page } from 'playwright-core'
import { test as base } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { freePort } from '../../../src/db/embedded/free-port.ts'
import type { Secrets } from '../../support/secrets.ts'
import { register } from '../../support/server.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'
import { startWatchedRally, type WatchedRally } from '../../support/watched-rally.ts'
import { numberedArtifacts } from './artifacts.ts'
import { launchChromium } from './chromium.ts'
import { Visitor } from './visitor.ts'

/** What somebody's browser is like. */
export interface Screen {
  readonly theme?: 'light' | 'dark'
  readonly device?: 'desktop' | 'phone'
}

/** Who comes to the server under test. */
export interface People {
  /** Somebody who was never here; no page is open yet. */
  stranger(name: string, screen?: Screen): Promise<Visitor>
  /** Somebody with an account who is signed in, by a cookie as their browser would have it. */
  player(name: string, screen?: Screen): Promise<Visitor>
  /** The same with a line to the server that can be cut. */
  playerByWire(name: string, screen?: Screen): Promise<{ visitor: Visitor; wire: Wire }>
}

/** What connects one browser to the server. */
export interface Wire {
  /** Ends every connection without a word and lets no new one through; the browser knows that it is offline. */
  cut(): Promise<void>
  mend(): Promise<void>
}

const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } }
/** How long a page may take for one step. */
const STEP_MS = 10_000
/** A port of this machine where nobody listens (tcpmux). */
const NOWHERE = 1

/**
 * `test` with a browser for the file, and with each try of a test a whole Rally and people of its own: names that a
 * first try has taken are free again in the second. At its end the server's log, traces and metrics are searched for every
 * secret and name that the test used.
 */
export const test = base
  .extend('settings', (): Partial<Config> => ({}))
  .extend('rally', async ({ settings }, { onCleanup }) => {
    const rally = await startRallyForBrowsers(settings)
    onCleanup(async () => {
      const leaks = rally.secrets.findIn(await rally.exposed())
      if (leaks.length > 0) throw new Error(`The server shows what it must not:\n${leaks.join('\n')}`)
    })
    return rally
  })
  .extend(
    'browser',
    { scope: 'file' }, // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern that this needs nothing
    async ({}, { onCleanup }) => {
      const browser = await launchChromium()
      onCleanup(() => browser.close())
      return browser
    },
  )
  .extend('people', async ({ rally, browser, task }, { onCleanup }): Promise<People> => {
    const visitors: Visitor[] = []
    const tries = task.result?.retryCount ?? 0
    const nextArtifact = numberedArtifacts(tries > 0 ? `${task.name} again` : task.name)

    const wires: TcpProxy[] = []

    const open = async (name: string, { theme = 'light', device = 'desktop' }: Screen, baseURL: string) => {
      const context = await browser.newContext({
        ...(device === 'phone' ? devices['iPhone 13'] : DESKTOP),
        deviceScaleFactor: 1,
        colorScheme: theme,
        baseURL,
      })
      context.setDefaultTimeout(STEP_MS)
      context.on('page', (page) => noteSecrets(page, rally.secrets))
      const visitor = new Visitor(name, context, await context.newPage(), nextArtifact)
      visitors.push(visitor)
      return visitor
    }

    onCleanup(async () => {
      const hasFailed = task.result?.state === 'fail' || visitors.some(({ complaints }) => complaints.length > 0)
      for (const visitor of visitors) {
        // A page that has crashed has no picture; why the test failed counts more.
        if (hasFailed) await visitor.shoot('failed').catch(() => undefined)
        await visitor.keepLog()
        for (const { value } of await visitor.context.cookies()) rally.secrets.add('cookie', value)
        await visitor.context.close()
      }
      for (const wire of wires) await wire.close()
      const complaints = visitors.flatMap(({ name, complaints }) => complaints.map((each) => `${name}: ${each}`))
      if (complaints.length > 0) throw new Error(`The pages complained:\n${complaints.join('\n')}`)
    })

    const signedIn = async (visitor: Visitor, url: string) => {
      const player = await register(rally.url, visitor.name)
      rally.secrets.addPlayer(player)
      await visitor.context.addCookies(cookiesOf(player.cookie, url))
      return visitor
    }

    const { publicUrl } = rally.config
    return {
      stranger: (name, screen = {}) => open(name, screen, publicUrl),
      player: async (name, screen = {}) => signedIn(await open(name, screen, publicUrl), publicUrl),
      async playerByWire(name, screen = {}) {
        const proxy = await startTcpProxy(rally.app.port)
        wires.push(proxy)
        rally.allow(proxy.url)
        const visitor = await signedIn(await open(name, screen, proxy.url), proxy.url)
        return { visitor, wire: wireOf(visitor, proxy, rally.app.port) }
      },
    }
  })

/** A Rally that knows its own address, which links and the page's security policy name. */
async function startRallyForBrowsers(
  settings: Partial<Config>,
): Promise<WatchedRally & { allow(origin: string): void }> {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const allowedOrigins = new Set([publicUrl])
  const rally = await startWatchedRally({ config: { ...settings, port, publicUrl, allowedOrigins } })
  return { ...rally, allow: (origin) => void allowedOrigins.add(origin) }
}

/** Notes what the page sends and receives. */
function noteSecrets(page: Page, secrets: Secrets): void {
  const note = ({ payload }: { payload: string | Buffer }) => {
    if (typeof payload === 'string') secrets.addFrame(payload)
  }
  page.on('websocket', (socket) => socket.on('framesent', note).on('framereceived', note))
}

function wireOf({ context }: Visitor, proxy: TcpProxy, port: number): Wire {
  return {
    async cut() {
      // Offline alone leaves open sockets open.
      proxy.leadTo(NOWHERE)
      proxy.cut()
      await context.setOffline(true)
    },
    async mend() {
      proxy.leadTo(port)
      await context.setOffline(false)
    },
  }
}

function cookiesOf(header: string, url: string) {
  return header.split('; ').map((pair) => {
    const at = pair.indexOf('=')
    return { name: pair.slice(0, at), value: pair.slice(at + 1), url, httpOnly: true, sameSite: 'Strict' as const }
  })
}
