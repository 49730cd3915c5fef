import { Component, type ComponentType, lazy, type ReactNode, Suspense, useState } from 'react'
import { ReloadButton, TextButton } from './button.tsx'
import { Loading, Notice } from './notice.tsx'

/** Shows a notice in place of a page that threw while rendering. The rest of the app still works. */
export class CrashGuard extends Component<{ children: ReactNode }, { hasCrashed: boolean }> {
  override state = { hasCrashed: false }

  static getDerivedStateFromError() {
    return { hasCrashed: true }
  }

  override render(): ReactNode {
    if (!this.state.hasCrashed) return this.props.children
    return (
      <Notice look="error">
        This page broke, and that is our fault. <ReloadButton>Load it again</ReloadButton>
      </Notice>
    )
  }
}

/** A part of the page could not be loaded: there is no network, or a newer page has replaced its file. */
class NotLoaded extends Error {}

/**
 * A component that comes in a file of its own, loaded when it is first shown. While that takes, `waiting` says so in
 * words, or nothing is shown. If it fails, a notice is shown in its place, and the rest of the page still works.
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting?: string,
): ComponentType<Props> {
  // React never loads a failed component again: each retry needs a new one.
  const make = (): ComponentType<Props> =>
    lazy(async () => {
      try {
        return { default: await load() }
      } catch (cause) {
        part = make()
        throw new NotLoaded('A part of the page could not be loaded', { cause })
      }
    })
  let part = make()

  return function Later(props: Props) {
    const [Part, setPart] = useState(() => part)
    return (
      <LoadGuard onRetry={() => setPart(() => part)}>
        <Suspense fallback={waiting && <Loading>{waiting}</Loading>}>
          <Part {...props} />
        </Suspense>
      </LoadGuard>
    )
  }
}

interface LoadGuardProps {
  readonly onRetry: () => void
  readonly children: ReactNode
}

/** Shows a notice in place of a part that could not be loaded. Other errors pass through it. */
class LoadGuard extends Component<LoadGuardProps, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  readonly #retry = () => {
    this.props.onRetry()
    this.setState({ error: null })
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    if (!(error instanceof NotLoaded)) throw error
    return (
      <Notice look="warn">
        This part of the page could not be loaded.{' '}
        <TextButton onClick={this.#retry} data-testid="load-again">
          Try again
        </TextButton>{' '}
        or <ReloadButton>reload the page</ReloadButton>
      </Notice>
    )
  }
}
