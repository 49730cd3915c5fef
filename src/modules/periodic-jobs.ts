import { statement } from '../db/sql.ts'
import type { Logger } from '../logger.ts'
import type { PeriodicJob, PeriodicWork, Platform, ServiceKey } from './platform.ts'
import { inTransaction, plainScope, type Scope } from './scope.ts'

/** What a job is given. With `runsOn: 'one node'` its `sql` and `db` are one transaction. */
export interface JobContext extends Scope {
  readonly log: Logger
  /** Aborts when the server stops, so that a long job can end early. */
  readonly stopping: AbortSignal
  use<T>(key: ServiceKey<T>): T
}

/** Periodic work of a module: `jobs: { deleteOld: { everyMs: 60_000, runsOn: 'one node', run } }`. */
export interface Job {
  /** From the end of one run to the beginning of the next. */
  readonly everyMs: number
  /** `one node`: one node at a time, by a lock in the database; the others skip their turn. `every node`: each its own. */
  readonly runsOn: 'one node' | 'every node'
  run(ctx: JobContext): Promise<void> | void
}

const LOCK = statement<{ isFree: boolean }>(
  'jobs.lock',
  'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "isFree"',
)

/** Starts the jobs of one module, which are given by name. */
export function startJobs(platform: Platform, module: string, jobs: Readonly<Record<string, Job>> = {}): PeriodicJob[] {
  const log = platform.log.of(module)
  return Object.entries(jobs).map(([key, job]) => {
    const name = `${module}.${key}`
    // A copy of the scope would read its `db`, which a transaction makes when it is first read.
    const run = (scope: Scope, stopping: AbortSignal) =>
      job.run(Object.assign(scope, { log, stopping, use: platform.use }))
    const runOnOneNode = (stopping: AbortSignal) =>
      inTransaction(platform, async (scope) => {
        const lock = await scope.sql.first(LOCK, [`job ${name}`])
        if (lock?.isFree) await run(scope, stopping)
      })
    const work: PeriodicWork =
      job.runsOn === 'one node' ? runOnOneNode : (stopping) => run(plainScope(platform), stopping)
    return platform.every(name, job.everyMs, work)
  })
}
