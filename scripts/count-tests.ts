// Counts the tests of several suites from their reports: tsx scripts/count-tests.ts <report.json>...
// The last line it prints is `N passed, N failed`, or `N passed, N failed, N skipped`. Its exit code is 1 if a test failed,
// if a report is missing, or if a suite ran nothing.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** The part of vitest's JSON report that is counted. */
const Report = z.object({
  success: z.boolean(),
  numPassedTests: z.number().int(),
  numFailedTests: z.number().int(),
  numPendingTests: z.number().int(),
})

const totals = { passed: 0, failed: 0, skipped: 0 }
const problems: string[] = []

for (const file of process.argv.slice(2)) {
  const report = read(file)
  if (!report) continue
  totals.passed += report.numPassedTests
  totals.failed += report.numFailedTests
  totals.skipped += report.numPendingTests
  if (report.numPassedTests + report.numFailedTests === 0) problems.push(`${file}: no test ran`)
  else if (!report.success && report.numFailedTests === 0)
    problems.push(`${file}: the suite failed outside of its tests`)
}
if (process.argv.length < 3) problems.push('no report was named')
for (const problem of problems) process.stderr.write(`${problem}\n`)

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`)
process.exitCode = problems.length > 0 || totals.failed > 0 ? 1 : 0

function read(file: string): z.infer<typeof Report> | undefined {
  try {
    return Report.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
