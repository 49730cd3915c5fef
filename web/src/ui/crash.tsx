import { Component, type ReactNode } from 'react'
import { ReloadButton } from './button.tsx'
import { Notice } from './notice.tsx'

/** Stands in for a page that threw while it was drawn; the rest of the app goes on. */
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
