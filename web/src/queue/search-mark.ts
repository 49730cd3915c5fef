const KEY = 'rally-searches'

/** Marks this tab as the one in which the user looks for a match, also after a reload, or takes the mark away. */
export function markSearch(isSearching: boolean): void {
  try {
    if (isSearching) sessionStorage.setItem(KEY, '1')
    else sessionStorage.removeItem(KEY)
  } catch {
    // Storage is off: a notice leads to the match.
  }
}

/** Whether the user looks for a match in this tab: it goes to the match that is found. */
export function hasSearchMark(): boolean {
  try {
    return sessionStorage.getItem(KEY) !== null
  } catch {
    return false
  }
}
