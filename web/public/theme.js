// Runs before the first paint, so that a chosen theme does not flash the other one. See src/hooks/use-theme.ts.
try {
  const theme = localStorage.getItem('rally-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is off: the system's theme it is.
}
