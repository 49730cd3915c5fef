import type { ButtonHTMLAttributes, MouseEvent } from 'react'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly small?: boolean
  readonly wide?: boolean
  /** It is being done: the button stays where the focus is, and does nothing. */
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

/** Within a sentence: loads the page anew, and with it what it was made of. */
export function ReloadButton({ children = 'Reload the page' }: { readonly children?: string }) {
  return (
    <button type="button" className="text-button" onClick={() => location.reload()}>
      {children}
    </button>
  )
}
