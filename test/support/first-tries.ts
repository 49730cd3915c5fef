import type { Reporter, TestCase } from 'vitest/node'

/** Tells why a test failed that passed when it was tried again: the usual report only says that it was. */
export class FirstTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result()
    if (state !== 'passed' || !errors) return
    for (const { message, stack, diff } of errors) {
      const why = [stack?.includes(message) ? stack : `${message}\n${stack ?? ''}`, diff].filter(Boolean).join('\n')
      process.stderr.write(`\nPassed in a second try: ${test.module.relativeModuleId} > ${test.fullName}\n${why}\n\n`)
    }
  }
}
