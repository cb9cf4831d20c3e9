import { Registry, type RegistryOptions } from '../../src/registry/registry.js'

/** A registry in the process of the test. Requests may take long, because the machine may be busy. */
export function openRegistry(
  endpoints: readonly string[],
  options: Partial<RegistryOptions> = {},
): Promise<Registry> {
  return Registry.open({
    endpoints,
    endpointsSource: 'the test',
    commandTimeoutMs: 20_000,
    dialTimeoutMs: 1_000,
    cache: false,
    ...options,
  })
}
