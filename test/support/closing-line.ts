import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/**
 * Prints `N passed, N failed` on the last line of a run, for readers of that line only. A run without a test counts as
 * a failure, because a misspelt filter must not look like success.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const passed = tests.filter((test) => test.result().state === 'passed').length
    const failedTests = tests.filter((test) => test.result().state === 'failed').length
    const failedModules = modules.filter((module) => module.errors().length > 0).length
    const noTestRan = reason !== 'interrupted' && passed + failedTests === 0
    const failed = failedTests + failedModules + unhandledErrors.length
    if (noTestRan) {
      process.exitCode = 1
      process.stdout.write('\nNo test ran.\n')
    }
    process.stdout.write(`\n${passed} passed, ${noTestRan ? Math.max(failed, 1) : failed} failed\n`)
  }
}
