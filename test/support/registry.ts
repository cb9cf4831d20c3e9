import { Registry, type RegistryOptions } from '../../src/registry/registry.js'

/** A registry of the test's own process. A request may take long: the machine may be busy. */
export function openRegistry(
  endpoints: readonly string[],
  options: Partial<RegistryOptions> = {},
): Promise<Registry> {
  return Registry.open({
    ...{ endpoints, endpointsSource: 'the test', commandTimeoutMs: 20_000, dialTimeoutMs: 1_000 },
    ...{ cache: false, ...options },
  })
}
