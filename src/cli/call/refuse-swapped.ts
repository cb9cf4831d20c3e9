import { DiscoError } from '../../domain/errors.js'
import type { OpenRegistries } from '../base-command.js'
import { requireExisting } from '../registries/parts.js'

/** Why a service without endpoints cannot be called. @throws DiscoError NOT_FOUND; USAGE for `call METHOD SERVICE` */
export async function refuseSwappedMethod(
  registries: OpenRegistries,
  service: string,
  method: string | undefined,
): Promise<void> {
  const [{ registry, origin }] = registries
  if (origin === null && method !== undefined && (await registry.list(method)).endpoints.length > 0) {
    const { endpoints } = await registry.list(service)
    if (endpoints.length === 0) {
      throw new DiscoError('USAGE', 'The arguments are swapped: the service comes before the method', {
        suggestions: [`Try: disco call ${method} ${service}`],
      })
    }
  }
  await requireExisting(registries, service)
}
