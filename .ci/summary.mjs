// node .ci/summary.mjs <folder of vitest reports> [<failed step> …]: the sum of all tests as the last line.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const [folder, ...failedSteps] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
const explained = new Set()
for (const file of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  sum.passed += report.numPassedTests
  sum.failed += report.numFailedTests
  sum.skipped += report.numPendingTests + report.numTodoTests
  // A file that cannot even be loaded has no tests that could fail.
  const broken = report.testResults.filter(
    (result) => result.status === 'failed' && result.assertionResults.length === 0,
  )
  sum.failed += broken.length
  if (report.numFailedTests + broken.length > 0) explained.add(basename(file, '.json'))
}
// Any other step that failed counts as one: lint, types, a build, a run that ended before it could report.
const unexplained = failedSteps.filter((step) => !explained.has(step))
sum.failed += unexplained.length

if (failedSteps.length > 0) console.log(`\nfailed: ${failedSteps.join(', ')}`)
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0
