/** Keeps a canvas as sharp as the screen; calls back with its size in CSS pixels, at first too. Returns a function that stops. */
export function onCanvasSize(canvas: HTMLCanvasElement, sized: (width: number, height: number) => void): () => void {
  const observer = new ResizeObserver(([entry]) => {
    if (!entry) return
    const { width, height } = entry.contentRect
    const ratio = Math.min(3, devicePixelRatio)
    canvas.width = Math.max(1, Math.round(width * ratio))
    canvas.height = Math.max(1, Math.round(height * ratio))
    sized(width, height)
  })
  observer.observe(canvas)
  return () => observer.disconnect()
}

/** The values of the style sheet's variables for an element: `{ ink: '--court-ink' }` becomes `{ ink: '#f6f4ea' }`. */
export function readVariables<Name extends string>(element: Element, variables: Readonly<Record<Name, string>>) {
  const style = getComputedStyle(element)
  const values = Object.entries<string>(variables).map(([name, variable]) => [
    name,
    style.getPropertyValue(variable).trim(),
  ])
  return Object.fromEntries(values) as Record<Name, string>
}
