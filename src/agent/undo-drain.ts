import { DiscoError } from '../domain/errors.js'
import type { Registry } from '../registry/registry.js'
import { type EndpointSelection, selectEndpoints } from '../registry/selection.js'
import type { WeightChanged } from '../registry/weight.js'

/**
 * Gives a drained endpoint the weight that it had, as etcd's history has it.
 *
 * @returns null where it has a weight already
 * @throws DiscoError NOT_FOUND, also when it is not registered any more; CONFLICT when nobody knows the weight
 */
export async function undoDrain(
  registry: Registry,
  selection: EndpointSelection,
): Promise<WeightChanged | null> {
  const { service } = selection
  const { endpoints } = await registry.listExisting(service)
  const [endpoint] = selectEndpoints(endpoints, selection)
  if (!endpoint || endpoint.weight > 0) return null
  const weight = await registry.lastWeight(endpoint)
  if (weight === null) {
    const { addr } = endpoint
    throw new DiscoError('CONFLICT', `etcd's history has no other weight of ${addr}, or no longer has it`, {
      suggestions: [`Give it one: disco weight ${service} ${addr} 1`],
    })
  }
  // What it had was in order: whoever drained it by force should be able to undo that.
  return await registry.setWeight(
    { service, addr: endpoint.key },
    { kind: 'restore', weight },
    { force: true },
  )
}
