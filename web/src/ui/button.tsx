import { type ButtonHTMLAttributes, type MouseEvent, useEffect, useState } from 'react'
import { CheckIcon, CopyIcon } from './icons.tsx'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly small?: boolean
  readonly wide?: boolean
  /** Its action is under way: the button keeps the focus, and does nothing. */
  readonly busy?: boolean
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
  readonly text: string
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
    copyText(text).then(
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
