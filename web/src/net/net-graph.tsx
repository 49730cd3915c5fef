import { useEffect, useRef } from 'react'
import { useRally } from '../rally.ts'
import { drawNet, readNetPalette } from './draw-net.ts'
import { useNet } from './net-context.ts'
import { NetHistory, SAMPLE_MS } from './net-history.ts'
import type { NetMeter } from './net-meter.ts'

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
