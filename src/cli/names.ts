import { DiscoError } from '../domain/errors.js'

/** A service's name as a command takes it. @throws DiscoError USAGE when it is empty or has a slash */
export function requireServiceName(name: string): string {
  const problem = name === '' ? 'is empty' : name.includes('/') ? 'contains "/"' : null
  if (problem === null) return name
  throw new DiscoError('USAGE', `The service name "${name}" ${problem}`, {
    suggestions: ['A service name is one segment of an etcd key, such as hello'],
  })
}
