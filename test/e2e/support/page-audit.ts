import type { Page } from 'playwright-core'

/**
 * What is wrong with the page as it is shown: parts wider than the window, controls without a name, pictures without a text,
 * headings, and text that is hard to read (WCAG 2.2, 1.4.3: contrast of 4.5, large text of 3). Empty when nothing is.
 */
export function auditPage(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const isShown = (element: Element) => {
      return (
        element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
        element.getClientRects().length > 0
      )
    }
    const say = (element: Element) => {
      const { tagName, className, textContent } = element
      return `<${tagName.toLowerCase()} class="${String(className)}"> ${textContent?.trim().slice(0, 40)}`
    }

    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth > clientWidth) {
      const wide = [...document.querySelectorAll('main *')].filter(
        (each) => each.getBoundingClientRect().right > clientWidth + 1,
      )
      found.push(`${scrollWidth - clientWidth} px wider than the window: ${wide.slice(0, 3).map(say).join(', ')}`)
    }

    // Names in lists may lie over the link that fills their entry; in the header and in bars nothing lies over anything.
    const controls = [...document.querySelectorAll('header a, header button, header span')].filter((each) => {
      return isShown(each) && each.children.length === 0 && each.getBoundingClientRect().width > 1
    })
    for (const [index, one] of controls.entries()) {
      const box = one.getBoundingClientRect()
      for (const other of controls.slice(index + 1)) {
        const { left, right, top, bottom } = other.getBoundingClientRect()
        const width = Math.min(box.right, right) - Math.max(box.left, left)
        const height = Math.min(box.bottom, bottom) - Math.max(box.top, top)
        if (width > 1 && height > 1) found.push(`${say(one)} lies over ${say(other)}`)
      }
    }

    const headings = [...document.querySelectorAll('h1')].filter(isShown)
    if (headings.length !== 1) found.push(`${headings.length} headings of the first level`)
    if (!document.documentElement.lang) found.push('no language')

    const nameOf = (element: Element) => {
      const labelledBy = (element.getAttribute('aria-labelledby') ?? '')
        .split(' ')
        .map((id) => document.getElementById(id))
      const labels =
        element instanceof HTMLInputElement ||
        element instanceof HTMLSelectElement ||
        element instanceof HTMLTextAreaElement
          ? [...(element.labels ?? [])]
          : []
      const texts = [...labelledBy, ...labels].map((each) => each?.textContent)
      return [element.getAttribute('aria-label'), ...texts, element.textContent, element.getAttribute('title')]
        .join('')
        .trim()
    }
    for (const control of document.querySelectorAll(
      'a[href], button, input, select, textarea, [role="img"], dialog, nav',
    )) {
      if (isShown(control) && nameOf(control) === '') found.push(`no name: ${say(control)}`)
    }
    for (const image of document.querySelectorAll('img:not([alt])')) found.push(`no text: ${say(image)}`)
    for (const element of document.querySelectorAll('[tabindex]')) {
      if (Number(element.getAttribute('tabindex')) > 0) found.push(`out of the order of the focus: ${say(element)}`)
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    for (const id of new Set(ids.filter((each, at) => ids.indexOf(each) !== at))) found.push(`two elements are #${id}`)

    // Colours as the canvas reads them: every notation becomes red, green, blue and alpha.
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
    const known = new Map<string, readonly [number, number, number, number]>()
    const read = (color: string): readonly [number, number, number, number] => {
      const before = known.get(color)
      if (before || !context) return before ?? [0, 0, 0, 0]
      context.clearRect(0, 0, 1, 1)
      context.fillStyle = color
      context.fillRect(0, 0, 1, 1)
      const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data
      const value = [red, green, blue, alpha / 255] as const
      known.set(color, value)
      return value
    }
    const luminance = (color: readonly number[]) => {
      const [red = 0, green = 0, blue = 0] = color.map((part) =>
        part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
      )
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    /** Null where it cannot be told: something translucent, or a picture. */
    const backgroundOf = (element: Element): readonly number[] | null => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const style = getComputedStyle(at)
        if (style.backgroundImage !== 'none' || at instanceof HTMLCanvasElement) return null
        const color = read(style.backgroundColor)
        if (color[3] === 1) return color.slice(0, 3)
        if (color[3] > 0) return null
        // What lies over other things may have anything behind it.
        if (style.position === 'absolute' || style.position === 'fixed') return null
      }
      return [255, 255, 255]
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement
      if (!element || !texts.currentNode.textContent?.trim() || !isShown(element)) continue
      if (element.closest('svg, [aria-disabled="true"], :disabled, option, .hidden-visually')) continue
      const style = getComputedStyle(element)
      const background = backgroundOf(element)
      const ink = read(style.color)
      if (!background || ink[3] < 1) continue
      const [high = 0, low = 0] = [luminance(ink.slice(0, 3)), luminance(background)].sort((one, other) => other - one)
      const contrast = (high + 0.05) / (low + 0.05)
      const size = Number.parseFloat(style.fontSize)
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      if (contrast < (isLarge ? 3 : 4.5)) found.push(`contrast of ${contrast.toFixed(2)}: ${say(element)}`)
    }
    return found
  })
}
