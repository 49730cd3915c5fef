import { createContext, type ReactNode, use, useEffect, useRef } from 'react'
import { Link, paths } from '../router.tsx'

/** What the tab says in place of any page's title, because it is urgent; null for nothing. */
export const TabAlert = createContext<string | null>(null)

interface PageProps {
  readonly title: string
  /** What the tab says, if not the title. */
  readonly tabTitle?: string | undefined
  /** Beside the title. */
  readonly aside?: ReactNode
  /** Limits how wide the page is: a class of the style sheet, such as `narrow`. */
  readonly fit?: string | undefined
  readonly children: ReactNode
}

/** A page under the header: names the document, and takes the focus after a link within the app. */
export function Page({ title, tabTitle = title, aside, fit, children }: PageProps) {
  const alert = use(TabAlert)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${alert ?? tabTitle} · Rally`
  }, [alert, tabTitle])
  useEffect(() => {
    // The first load, and a field that took the focus itself, keep it.
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

interface MessagePageProps {
  readonly title: string
  /** The link and its text. Default: to the lobby. */
  readonly href?: string
  readonly to?: string
  readonly children: ReactNode
}

/** A page with a few words and one link. */
export function MessagePage({ title, href = paths.lobby, to = 'To the lobby', children }: MessagePageProps) {
  return (
    <Page title={title} fit="narrow">
      <div className="stack">
        {children}
        <div>
          <Link className="button" href={href}>
            {to}
          </Link>
        </div>
      </div>
    </Page>
  )
}
