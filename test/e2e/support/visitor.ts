import { writeFile } from 'node:fs/promises'
import type { BrowserContext, Page } from 'playwright-core'
import { slug } from './artifacts.ts'

/** One person at a browser of their own: a context, its page, and what the page complained about. */
export class Visitor {
  readonly name: string
  readonly context: BrowserContext
  readonly page: Page
  readonly #nextArtifact: (name: string) => string
  readonly #log: string[] = []
  readonly #errors: string[] = []
  /**
   * The answer to a page that asks why its first socket was cut, if it was not refused: it connects again. The addon's rare
   * cut is described in docs/decisions/uwebsockets-repack.md.
   */
  readonly #tolerated: RegExp[] = [/status of 426/]

  /** `nextArtifact` makes the path of a file to keep. */
  constructor(name: string, context: BrowserContext, page: Page, nextArtifact: (name: string) => string) {
    this.name = name
    this.context = context
    this.page = page
    this.#nextArtifact = nextArtifact
    page.on('console', (message) => {
      this.#note(message.type(), message.text())
      if (message.type() === 'error') this.#errors.push(message.text())
    })
    page.on('pageerror', (error) => {
      this.#note('pageerror', error.stack ?? error.message)
      this.#errors.push(error.message)
    })
  }

  /** From here on a complaint that fits is part of the scene, as where the network is cut. */
  tolerate(complaint: RegExp): void {
    this.#tolerated.push(complaint)
  }

  /** Errors of the page and in its console that do not belong to the scene. */
  get complaints(): readonly string[] {
    return this.#errors.filter((error) => !this.#tolerated.some((pattern) => pattern.test(error)))
  }

  /** Keeps a picture of what the page shows. */
  async shoot(stage: string): Promise<void> {
    await this.page.screenshot({ path: this.#nextArtifact(`${this.name}-${slug(stage)}.png`), timeout: 5_000 })
  }

  /** The same with what lies below the edge of the window. */
  async shootWhole(stage: string): Promise<void> {
    // The bar at the edge of the window would cover something in the middle.
    const moveBar = (position: string) => {
      return this.page.evaluate((position) => {
        const [bar, root] = [document.querySelector<HTMLElement>('.nav'), document.querySelector<HTMLElement>('#root')]
        if (root) root.style.position = position === '' ? '' : 'relative'
        if (bar && (position === '' || getComputedStyle(bar).position === 'fixed')) bar.style.position = position
      }, position)
    }
    await moveBar('absolute')
    await this.page.screenshot({ path: this.#nextArtifact(`${slug(stage)}.png`), fullPage: true, timeout: 5_000 })
    await moveBar('')
  }

  /** Keeps what the page said to its console. */
  async keepLog(): Promise<void> {
    await writeFile(this.#nextArtifact(`${this.name}-console.txt`), `${this.#log.join('\n')}\n`)
  }

  #note(kind: string, text: string): void {
    if (this.#log.length < 2_000) this.#log.push(`${new Date().toISOString()} ${kind}: ${text}`)
  }
}
