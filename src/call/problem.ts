/** What stopped a connection, without grpc-js's own wrapping. */
export function inWords(problem: string | null): string {
  if (problem === null) return 'did not answer'
  if (problem.includes('ECONNREFUSED')) return 'connection refused'
  return problem.replace(/^.*Last error: /, '')
}
