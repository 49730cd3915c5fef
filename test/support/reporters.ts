import { join } from 'node:path'
import type { InlineConfig, Reporter, TestCase } from 'vitest/node'

/** Tells why a test failed that passed when it was tried again: the usual report only says that it was. */
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

/** How a suite reports: to people, and where `TEST_REPORTS` names a folder, as `<suite>.json` for scripts/count-tests.ts. */
export function reporters(suite: string): NonNullable<InlineConfig['reporters']> {
  const folder = process.env.TEST_REPORTS
  const shown = ['default', new FirstTries()] as const
  return folder ? [...shown, ['json', { outputFile: join(folder, `${suite}.json`) }]] : [...shown]
}
