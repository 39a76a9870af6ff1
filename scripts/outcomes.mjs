// What the reports of the test runners come to: `{ passed, failed, broken, skipped }`, the last two by name. `broken` are files that
// could not be loaded, and errors outside of any test.

/** Of vitest's JSON. */
export function vitestOutcome({ numPassedTests, numFailedTests, testResults }) {
  const hasFailed = ({ assertionResults }) => assertionResults.some(({ status }) => status === 'failed')
  return {
    passed: numPassedTests,
    failed: numFailedTests,
    broken: testResults.filter((file) => file.status === 'failed' && !hasFailed(file)).map(({ name }) => name),
    skipped: testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => fullName),
  }
}

/** Of Playwright's JSON. */
export function pagesOutcome({ suites, stats, errors }) {
  const specs = (suite, above) => {
    const names = [...above, suite.title]
    return [...(suite.specs ?? []).map((spec) => ({ spec, names })), ...(suite.suites ?? []).flatMap((inner) => specs(inner, names))]
  }
  const named = ({ spec, names }, { annotations }) => {
    const reason = annotations.find(({ type }) => type === 'skip')?.description
    return `${[...names, spec.title].join(' > ')}${reason ? ` (${reason})` : ''}`
  }
  return {
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky,
    broken: errors.map(({ location, message }) => `${location?.file ?? 'Playwright'}: ${message?.split('\n')[0]}`),
    skipped: suites
      .flatMap((suite) => specs(suite, []))
      .flatMap((each) => each.spec.tests.filter(({ status }) => status === 'skipped').map((test) => named(each, test))),
  }
}
