import { createContext, type ReactNode, use, useEffect, useRef } from 'react'

/** What the tab says in place of any page's title, because it cannot wait; null for nothing. */
export const TabAlert = createContext<string | null>(null)

interface PageProps {
  readonly title: string
  /** What the tab says, if not the title: it is seen from another tab. */
  readonly tabTitle?: string | undefined
  /** Beside the title. */
  readonly aside?: ReactNode
  /** Limits how wide the page is: a class of the style sheet, such as `narrow`. */
  readonly fit?: string | undefined
  readonly children: ReactNode
}

/** A page under the header: names the document, and takes the focus when it was come to by a link. */
export function Page({ title, tabTitle = title, aside, fit, children }: PageProps) {
  const alert = use(TabAlert)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${alert ?? tabTitle} · Rally`
  }, [alert, tabTitle])
  useEffect(() => {
    // Not on the first load, and not away from a field that took the focus itself.
    if (history.state === null || document.activeElement instanceof HTMLInputElement) return
    heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div className={fit}>
      <div className="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {aside}
      </div>
      {children}
    </div>
  )
}
