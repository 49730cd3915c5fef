import { statement } from '../db/sql.ts'
import type { Logger, Loggers } from '../logger.ts'
import type { PeriodicJob, PeriodicWork, Platform, ServiceKey } from './platform.ts'
import { inTransaction, plainScope, type Scope } from './scope.ts'

/** What `platform.every` does. */
export function every(name: string, everyMs: number, work: PeriodicWork, loggers: Loggers): PeriodicJob {
  const log = loggers.of(name.slice(0, name.indexOf('.')))
  const stopping = new AbortController()
  let isFailing = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      await work(stopping.signal)
      if (isFailing) log.info({ job: name }, 'a periodic job works again')
      isFailing = false
    } catch (error) {
      if (!isFailing) log.warn({ err: error, job: name }, 'a periodic job failed, and is tried again')
      isFailing = true
    }
    if (!stopping.signal.aborted) wait()
  }

  function wait(): void {
    timer = setTimeout(() => {
      running = run()
    }, everyMs)
  }

  wait()
  return {
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await running
    },
  }
}

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

interface ModuleWithJobs {
  readonly name: string
  readonly jobs?: Readonly<Record<string, Job>>
}

/** Starts the jobs of one module. */
export function startJobs(platform: Platform, module: ModuleWithJobs): PeriodicJob[] {
  const log = platform.log.of(module.name)
  return Object.entries(module.jobs ?? {}).map(([key, job]) => {
    const name = `${module.name}.${key}`
    const run = async (scope: Scope, stopping: AbortSignal) => {
      const { use } = platform
      const { sql } = scope
      await job.run({
        sql,
        get db() {
          return scope.db
        },
        afterCommit: (effect) => scope.afterCommit(effect),
        log,
        stopping,
        use,
      })
    }
    const work: PeriodicWork =
      job.runsOn === 'every node'
        ? (stopping) => run(plainScope(platform), stopping)
        : (stopping) =>
            inTransaction(platform, async (scope) => {
              const lock = await scope.sql.first(LOCK, [`job ${name}`])
              if (lock?.isFree) await run(scope, stopping)
            })
    return platform.every(name, job.everyMs, work)
  })
}
