import { useEffect, useRef } from 'react'
import { useRally } from '../rally.ts'
import type { NetMeter } from './network-figures.tsx'
import { type Played, useNet } from './page-network.ts'

/** Round trips and rollbacks of the last half minute, as they come. */
export function NetGraph({ meter }: { meter: NetMeter }) {
  const rally = useRally()
  const { nowPlaying } = useNet()
  const canvas = useRef<HTMLCanvasElement>(null)

  useEffect(() => {
    const element = canvas.current
    const context = element?.getContext('2d')
    if (!element || !context) return
    const palette = readNetPalette(element)
    const history = new NetHistory()
    let size = { width: 0, height: 0 }
    const paint = () => {
      if (size.width > 0) drawNet(context, palette, history.samples, size)
    }
    const resize = new ResizeObserver(([entry]) => {
      if (!entry) return
      const ratio = Math.min(3, devicePixelRatio)
      size = { width: entry.contentRect.width, height: entry.contentRect.height }
      element.width = Math.max(1, Math.round(size.width * ratio))
      element.height = Math.max(1, Math.round(size.height * ratio))
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      paint()
    })
    resize.observe(element)

    let stopFollowing = () => {}
    const follow = () => {
      stopFollowing()
      stopFollowing = nowPlaying.current ? history.follow(nowPlaying.current) : () => {}
    }
    follow()
    const stopPlaying = nowPlaying.onChange(follow)
    const timer = setInterval(() => {
      history.sample(meter.rttMs, rally.status === 'open')
      paint()
    }, SAMPLE_MS)
    return () => {
      clearInterval(timer)
      stopPlaying()
      stopFollowing()
      resize.disconnect()
    }
  }, [rally, nowPlaying, meter])

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

/** One moment of the graph. */
interface NetSample {
  readonly rttMs: number
  /** Ticks stepped again since the moment before; 0 for no rollback. */
  readonly depth: number
  readonly isOpen: boolean
}

const SAMPLE_MS = 100
/** Half a minute. */
export const MAX_SAMPLES = 300

/** What the network did in the last half minute. */
class NetHistory {
  readonly #samples: NetSample[] = []
  #depth = 0

  /** Oldest first. */
  get samples(): readonly NetSample[] {
    return this.#samples
  }

  /** Counts the rollbacks of a match from now on. Answers how to stop. */
  follow(played: Played): () => void {
    return played.on('correction', ({ depth }) => {
      this.#depth = Math.max(this.#depth, depth)
    })
  }

  sample(rttMs: number, isOpen: boolean): void {
    this.#samples.push({ rttMs, depth: this.#depth, isOpen })
    this.#depth = 0
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }
}

/** The colours of the graph, as the style sheet has them. */
interface NetPalette {
  readonly rtt: string
  readonly rollback: string
  readonly cut: string
  readonly line: string
  readonly text: string
  readonly font: string
}

function readNetPalette(element: Element): NetPalette {
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
function drawNet(
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
