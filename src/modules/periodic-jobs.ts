import { statement } from '../db/sql.ts'
import type { Logger } from '../logger.ts'
import type { PeriodicJob, Platform, ServiceKey } from './platform.ts'
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
  /** Between two runs. The first one is `everyMs` after the start. */
  readonly everyMs: number
  /** `one node`: once in `everyMs` over all nodes, by a row in the database. `every node`: each node its own. */
  readonly runsOn: 'one node' | 'every node'
  run(ctx: JobContext): Promise<void> | void
}

/**
 * A row when the job is due and no other node runs it. The row is taken back with a run that fails. Values: name, `everyMs`.
 * A time far in the future counts as due: the clock of the database was set back.
 */
const CLAIM = statement<{ name: string }>(
  'jobs.claim',
  `INSERT INTO periodic_jobs (name, ran_at)
   SELECT $1, now() WHERE pg_try_advisory_xact_lock(hashtextextended('job ' || $1, 0))
   ON CONFLICT (name) DO UPDATE SET ran_at = now()
     WHERE periodic_jobs.ran_at NOT BETWEEN now() - $2 * interval '1 ms' AND now() + $2 * interval '1 ms'
   RETURNING name`,
)

/** Starts the jobs of one module, which are given by name. */
export function startJobs(platform: Platform, module: string, jobs: Readonly<Record<string, Job>> = {}): PeriodicJob[] {
  return Object.entries(jobs).map(([key, job]) => {
    const name = `${module}.${key}`
    return platform.every(name, job.everyMs, (stopping) => runJob(platform, name, job, stopping))
  })
}

/** Runs a job once, if it is due. `name`: `module.job`. */
export async function runJob(platform: Platform, name: string, job: Job, stopping: AbortSignal): Promise<void> {
  const log = platform.log.of(name.slice(0, name.indexOf('.')))
  // A copy of the scope would read its `db`, which a transaction makes when it is first read.
  const run = async (scope: Scope) => job.run(Object.assign(scope, { log, stopping, use: platform.use }))
  if (job.runsOn === 'every node') return run(plainScope(platform))
  return inTransaction(platform, async (scope) => {
    if (await scope.sql.first(CLAIM, [name, job.everyMs])) await run(scope)
  })
}
