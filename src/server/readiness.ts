import { withDeadline } from '../deadline.ts'

/** A part that `/readyz` asks. */
export interface Pingable {
  /** Rejects when the part does not answer within `deadlineMs`. */
  ping(deadlineMs: number): Promise<void>
}

const DEADLINE_MS = 2_000

/**
 * Whether this node can serve: its database and its bus answer. Anybody may ask, and each question costs a connection to
 * the database: so all who ask while one is open share its answer.
 */
export function createReadiness(database: Pingable, bus: Pingable): () => Promise<boolean> {
  let asking: Promise<boolean> | undefined
  const ask = async () => {
    try {
      await withDeadline(Promise.all([database.ping(DEADLINE_MS), bus.ping(DEADLINE_MS)]), DEADLINE_MS)
      return true
    } catch {
      return false
    }
  }
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}
