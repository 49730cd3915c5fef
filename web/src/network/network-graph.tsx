import { useEffect, useRef } from 'react'
import { useRally } from '../rally.ts'
import { onCanvasSize, readVariables } from '../ui/canvas.ts'
import type { NetworkStatistics } from './network-figures.tsx'
import { useNet } from './page-network.ts'

/** One moment of the graph. */
interface Sample {
  readonly rttMs: number
  /** Ticks stepped again since the moment before; 0 for no rollback. */
  readonly depth: number
  readonly isOpen: boolean
}

const SAMPLE_MS = 100
/** Half a minute. */
const MAX_SAMPLES = 300

const PALETTE = {
  rtt: '--net-rtt',
  rollback: '--net-rollback',
  cut: '--net-cut',
  line: '--net-line',
  soft: '--net-soft',
  font: '--sans',
} as const

/** Round trips and rollbacks of the last half minute. */
export function NetworkGraph({ statistics }: { statistics: NetworkStatistics }) {
  const rally = useRally()
  const { followed } = useNet()
  const canvas = useRef<HTMLCanvasElement>(null)

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context) return
    const palette = readVariables(element, PALETTE)
    /** Oldest first. */
    const samples: Sample[] = []
    let depth = 0
    let [width, height] = [0, 0]
    const paint = () => {
      if (width === 0) return
      context.setTransform(element.width / width, 0, 0, element.height / height, 0, 0)
      draw(context, palette, samples, width, height)
    }
    const stopSizing = onCanvasSize(element, (...size) => {
      ;[width, height] = size
      paint()
    })
    let stopCounting = () => {}
    const countRollbacks = () => {
      stopCounting()
      stopCounting =
        followed.current?.play.on('correction', (correction) => {
          depth = Math.max(depth, correction.depth)
        }) ?? (() => {})
    }
    countRollbacks()
    const stopFollowing = followed.onChange(countRollbacks)
    const timer = setInterval(() => {
      samples.push({ rttMs: statistics.rttMs, depth, isOpen: rally.status === 'open' })
      if (samples.length > MAX_SAMPLES) samples.shift()
      depth = 0
      paint()
    }, SAMPLE_MS)
    return () => {
      clearInterval(timer)
      stopFollowing()
      stopCounting()
      stopSizing()
    }
  }, [rally, followed, statistics])

  return (
    <figure className="net-graph">
      <canvas ref={canvas} role="img" aria-label="Round trips and rollbacks of the last half minute" />
      <figcaption>
        <span className="net-key net-key-rtt">round trip</span>
        <span className="net-key net-key-rollback">rollbacks</span>
        <span>30 s</span>
      </figcaption>
    </figure>
  )
}

const MIN_RTT_MS = 100
const MIN_DEPTH = 12
/** Room for the numbers of the scales, in CSS pixels. */
const TOP = 12

/** Draws round trips as a line and rollbacks as bars from below, newest at the right. Sizes in CSS pixels. */
function draw(
  context: CanvasRenderingContext2D,
  palette: Record<keyof typeof PALETTE, string>,
  samples: readonly Sample[],
  width: number,
  height: number,
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
    const y = yOf(Math.min(1, rttMs / maxRttMs))
    if (isOpen && samples[index - 1]?.isOpen) context.lineTo(xOf(index), y)
    else if (isOpen) context.moveTo(xOf(index), y)
  })
  context.stroke()

  context.font = `10px ${palette.font}`
  context.fillStyle = palette.soft
  context.textAlign = 'left'
  context.fillText(`${maxRttMs} ms`, 0, TOP - 3)
  context.textAlign = 'right'
  context.fillText(`${maxDepth} ticks`, width, TOP - 3)
}
