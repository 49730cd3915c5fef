import { useCallback, useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark'

const KEY = 'rally-theme'
const CHANGED = 'rally-theme-change'

/** The theme in force, and how to turn it over. The choice is kept; choosing what the system wants forgets it. */
export function useTheme(): { theme: Theme; toggle(): void } {
  const theme = useSyncExternalStore(onThemeChange, current)
  const toggle = useCallback(() => {
    const next: Theme = current() === 'dark' ? 'light' : 'dark'
    if (next === systemTheme()) delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = next
    keep(next === systemTheme() ? null : next)
    dispatchEvent(new Event(CHANGED))
  }, [])
  return { theme, toggle }
}

function current(): Theme {
  const chosen = document.documentElement.dataset.theme
  return chosen === 'light' || chosen === 'dark' ? chosen : systemTheme()
}

function systemTheme(): Theme {
  return systemDark().matches ? 'dark' : 'light'
}

function systemDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
}

function keep(theme: Theme | null): void {
  try {
    if (theme) localStorage.setItem(KEY, theme)
    else localStorage.removeItem(KEY)
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

function onThemeChange(changed: () => void): () => void {
  const query = systemDark()
  query.addEventListener('change', changed)
  addEventListener(CHANGED, changed)
  return () => {
    query.removeEventListener('change', changed)
    removeEventListener(CHANGED, changed)
  }
}
