import { MAX_SAMPLES, type NetSample } from './net-history.ts'

/** The colours of the graph, as the style sheet has them. */
export interface NetPalette {
  readonly rtt: string
  readonly rollback: string
  readonly cut: string
  readonly line: string
  readonly text: string
  readonly font: string
}

export function readNetPalette(element: Element): NetPalette {
  const style = getComputedStyle(element)
  const color = (name: string) => style.getPropertyValue(name).trim()
  return {
    rtt: color('--net-rtt'),
    rollback: color('--net-rollback'),
    cut: color('--net-cut'),
    line: color('--net-line'),
    text: color('--net-soft'),
    font: `10px ${style.fontFamily}`,
  }
}

const MIN_RTT_MS = 100
const MIN_DEPTH = 12
/** Room for the numbers of the scales, in CSS pixels. */
const TOP = 12

/** Draws round trips as a line and rollbacks as bars from below, newest at the right. Sizes in CSS pixels. */
export function drawNet(
  context: CanvasRenderingContext2D,
  palette: NetPalette,
  samples: readonly NetSample[],
  { width, height }: { readonly width: number; readonly height: number },
): void {
  context.clearRect(0, 0, width, height)
  const mostRtt = samples.reduce((most, { rttMs }) => Math.max(most, rttMs), 0)
  const maxRttMs = Math.max(MIN_RTT_MS, Math.ceil(mostRtt / 50) * 50)
  const maxDepth = samples.reduce((most, { depth }) => Math.max(most, depth), MIN_DEPTH)
  const step = width / (MAX_SAMPLES - 1)
  const xOf = (index: number) => width - (samples.length - 1 - index) * step
  const yOf = (share: number) => height - share * (height - TOP)

  context.strokeStyle = palette.line
  context.lineWidth = 1
  context.beginPath()
  for (const share of [0.5, 1]) {
    const y = Math.round(yOf(share)) + 0.5
    context.moveTo(0, y)
    context.lineTo(width, y)
  }
  context.stroke()

  samples.forEach(({ depth, isOpen }, index) => {
    if (!isOpen) {
      context.fillStyle = palette.cut
      context.fillRect(xOf(index) - step / 2, TOP, Math.max(1, step), height - TOP)
    }
    if (depth === 0) return
    context.fillStyle = palette.rollback
    const top = yOf((depth / maxDepth) * 0.9)
    context.fillRect(xOf(index) - 0.75, top, 1.5, height - top)
  })

  context.strokeStyle = palette.rtt
  context.lineWidth = 1.5
  context.lineJoin = 'round'
  context.beginPath()
  samples.forEach(({ rttMs, isOpen }, index) => {
    const isFirst = index === 0 || !samples[index - 1]?.isOpen
    const y = yOf(Math.min(1, rttMs / maxRttMs))
    if (!isOpen) return
    if (isFirst) context.moveTo(xOf(index), y)
    else context.lineTo(xOf(index), y)
  })
  context.stroke()

  context.font = palette.font
  context.fillStyle = palette.text
  context.textAlign = 'left'
  context.fillText(`${maxRttMs} ms`, 0, TOP - 3)
  context.textAlign = 'right'
  context.fillText(`${maxDepth} ticks`, width, TOP - 3)
}
