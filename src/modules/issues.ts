import type { SchemaError } from '../games/game.ts'
import type { Issue } from '../protocol/index.ts'

/** The issues of a part of the input that was checked by a schema of its own, with paths from the whole. */
export function toIssuesUnder(path: string, error: Pick<SchemaError, 'issues'>): Issue[] {
  return error.issues
    .slice(0, 10)
    .map((issue) => ({ path: [path, ...issue.path.map(String)].join('.'), message: issue.message }))
}
