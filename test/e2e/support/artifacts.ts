import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where screenshots and the pages' logs are kept; emptied at the start of each run. */
export const ARTIFACTS = fileURLToPath(new URL('../../artifacts/e2e/', import.meta.url))

/** `text` as a part of a file's name. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60)
}

/** Paths for what one test keeps, numbered in the order in which it was kept. */
export function numberedArtifacts(scene: string): (name: string) => string {
  let count = 0
  return (name) => join(ARTIFACTS, `${slug(scene)}-${String(++count).padStart(2, '0')}-${name}`)
}
