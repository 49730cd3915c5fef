import type { ServiceModule } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { runJob as runIfDue } from '../../src/modules/periodic-jobs.ts'
import type { Rally } from './server.ts'

/** Runs a job of a server now, whenever it ran last. `name`: `module.job`. */
export async function runJob({ app: { platform } }: Pick<Rally, 'app'>, name: string): Promise<void> {
  const all: Readonly<Record<string, ServiceModule>> = modules
  const [module = '', key = ''] = name.split('.')
  const job = all[module]?.jobs?.[key]
  if (!job) throw new Error(`there is no job ${name}`)
  await platform.database.db.periodicJob.deleteMany({ where: { name } })
  await runIfDue(platform, name, job, new AbortController().signal)
}
