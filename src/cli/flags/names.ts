import { withoutSecrets } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import { DEFAULT_LAYOUT, layoutNamed } from '../../domain/layouts/index.js'
import { AUTO } from '../../domain/layouts/reader.js'

/**
 * A service's name as a command takes it.
 *
 * @param layout as `--layout` has it: most have one segment of a key for a name
 * @throws DiscoError USAGE when the name is empty, or has a slash that the layout does not allow
 */
export function requireServiceName(name: string, layout: string = DEFAULT_LAYOUT.name): string {
  if (/^https?:\/\//i.test(name)) {
    throw new DiscoError('USAGE', `"${withoutSecrets(name)}" is a URL, not the name of a service`, {
      suggestions: ['A service is named as it is registered: disco ls lists them'],
    })
  }
  const allowsSlashes = layout === AUTO || layoutNamed(layout).allowsSlashes
  const problem = name === '' ? 'is empty' : name.includes('/') && !allowsSlashes ? 'contains "/"' : null
  if (problem === null) return name
  throw new DiscoError('USAGE', `The service name "${name}" ${problem}`, {
    suggestions: ['A service name is one segment of an etcd key, such as hello'],
  })
}
