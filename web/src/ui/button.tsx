import { type ButtonHTMLAttributes, type MouseEvent, type Ref, useEffect, useState } from 'react'
import { CheckIcon, CopyIcon, ShareIcon } from './icons.tsx'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly small?: boolean
  readonly wide?: boolean
  /** Its action is under way: the button keeps the focus, and does nothing. */
  readonly busy?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({ look = 'plain', small, wide, busy, className, onClick, children, ...rest }: ButtonProps) {
  const classes = [
    'button',
    look !== 'plain' && `button-${look}`,
    small && 'button-small',
    wide && 'button-wide',
    className,
  ]
  const click = (event: MouseEvent<HTMLButtonElement>) => {
    if (busy) event.preventDefault()
    else onClick?.(event)
  }
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(' ')}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={click}
    >
      {busy && <span className="spinner" aria-hidden="true" />}
      {children}
    </button>
  )
}

/** A button that looks like a link, also within a sentence. */
export function TextButton({ className = '', ...rest }: ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" {...rest} className={`text-button ${className}`} />
}

export function ReloadButton({ children = 'Reload the page' }: { readonly children?: string }) {
  return <TextButton onClick={() => location.reload()}>{children}</TextButton>
}

interface CopyButtonProps {
  /** A function is called when the button is pressed. */
  readonly text: string | (() => string)
  /** What is copied, for the button's name: `Copy link`. */
  readonly what: string
  readonly look?: 'plain' | 'primary'
  readonly small?: boolean
}

export function CopyButton({ text, what, look = 'plain', small = false }: CopyButtonProps) {
  const [result, setResult] = useState<'copied' | 'failed' | null>(null)
  useEffect(() => {
    if (!result) return
    const timer = setTimeout(() => setResult(null), 2500)
    return () => clearTimeout(timer)
  }, [result])

  const copy = () => {
    copyText(typeof text === 'string' ? text : text()).then(
      () => setResult('copied'),
      () => setResult('failed'),
    )
  }
  return (
    <Button look={look} small={small} onClick={copy}>
      {result === 'copied' ? <CheckIcon /> : <CopyIcon />}
      <span aria-live="polite">
        {result === 'copied' ? 'Copied' : result === 'failed' ? 'Not allowed' : `Copy ${what}`}
      </span>
    </Button>
  )
}

interface ShareButtonProps {
  /** Asked for when the button is pressed. */
  readonly url: () => string
  readonly title: string
  /** What is shared: `link`, `this moment`. */
  readonly what: string
}

/** Offers an address to the device's apps, or copies it where the browser cannot do that. */
export function ShareButton({ url, title, what }: ShareButtonProps) {
  if (!('share' in navigator)) return <CopyButton small text={url} what={what} />
  const share = () => {
    // Somebody who closes the menu has changed their mind.
    navigator.share({ url: url(), title }).catch(() => undefined)
  }
  return (
    <Button small onClick={share}>
      <ShareIcon />
      Share {what}
    </Button>
  )
}

async function copyText(text: string): Promise<void> {
  // Without TLS a browser has no clipboard API; the old command still works.
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'hidden-visually'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (!done) throw new Error('the browser does not let the page copy')
}
