import { type ReactNode, useEffect, useState } from 'react'
import { describeError, errorCode, retryAfterMs } from '../error-messages.ts'
import { inWords } from '../format.ts'
import { useTimeLeft } from '../hooks/use-now.ts'
import { useStatus } from '../rally.ts'
import { InfoIcon, WarnIcon } from './icons.tsx'

export function Notice({ look = 'info', children }: { look?: 'info' | 'warn' | 'error'; children: ReactNode }) {
  return (
    <div className={`notice notice-${look}`} role={look === 'error' ? 'alert' : 'status'}>
      {look === 'info' ? <InfoIcon /> : <WarnIcon />}
      <div className="notice-body">{children}</div>
    </div>
  )
}

interface ErrorNoticeProps {
  readonly error: unknown
  /** Better words for codes that mean something particular here. */
  readonly words?: Readonly<Record<string, string>>
  readonly children?: ReactNode
}

/** An error in words; nothing for null. Counts down where the error says how long to wait. */
export function ErrorNotice({ error, words, children }: ErrorNoticeProps) {
  const [until, setUntil] = useState<number | null>(null)
  useEffect(() => {
    const wait = retryAfterMs(error)
    setUntil(wait === null ? null : Date.now() + wait)
  }, [error])
  const left = useTimeLeft(until)
  const isBack = useStatus() === 'open' && errorCode(error) === 'OFFLINE'
  if (error === null || error === undefined) return null
  if (isBack) return <Notice>The connection was gone, and is back now. Please try again.</Notice>
  return (
    <Notice look="error">
      {describeError(error, words)}
      {/* A screen reader must not read every second of it. */}
      {until !== null && (
        <span aria-live="off" className="numbers">
          {left > 0 ? ` You can try again ${inWords(left)}.` : ' You can try again now.'}
        </span>
      )}
      {children}
    </Notice>
  )
}

export function Loading({ children }: { children: ReactNode }) {
  return (
    <div className="loading" role="status">
      <span className="spinner" aria-hidden="true" />
      {children}
    </div>
  )
}

export function Empty({ art, title, children }: { art: ReactNode; title: string; children: ReactNode }) {
  return (
    <div className="empty">
      {art}
      <strong>{title}</strong>
      <div className="small">{children}</div>
    </div>
  )
}
