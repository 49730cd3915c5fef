import { join } from 'node:path'
import type { InlineConfig, Reporter, TestCase, TestModule } from 'vitest/node'

/** Reports why a retried test failed the first time: the usual report only says that it was retried. */
class FirstTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result()
    if (state !== 'passed' || !errors) return
    for (const { message, stack, diff } of errors) {
      const why = [stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`, diff].filter(Boolean).join('\n')
      process.stderr.write(`\nPassed in a second try: ${test.module.relativeModuleId} > ${test.fullName}\n${why}\n\n`)
    }
  }
}

/** Says how many tests were left out, and why. */
class LeftOut implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result()
        const note = (result.state === 'skipped' && result.note) || 'not possible on this machine'
        counts.set(note, (counts.get(note) ?? 0) + 1)
      }
    }
    for (const [reason, count] of counts) process.stdout.write(`\n Left out: ${count} tests (${reason})\n`)
  }
}

/**
 * The reporters of a suite: for people and, if `TEST_REPORTS` names a folder, as `<suite>.json` for
 * scripts/count-tests.ts.
 */
export function reporters(suite: string): NonNullable<InlineConfig['reporters']> {
  const folder = process.env.TEST_REPORTS
  const shown = ['default', new FirstTries(), new LeftOut()] as const
  return folder ? [...shown, ['json', { outputFile: join(folder, `${suite}.json`) }]] : [...shown]
}
