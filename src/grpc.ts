import { DiscoError } from './domain/errors.js'
import { type Installation, type InstallOptions, install as installDiscovery } from './grpc/install.js'
import type { RegistryOptions } from './registry/registry.js'

export * from './grpc/index.js'

/** Options of {@link install} for the registry of a context, including the options of `Registry.open`. */
export interface ContextInstallOptions extends RegistryOptions, Pick<InstallOptions, 'policies'> {
  /** Name of a context (`disco context add`). */
  readonly context: string
}

/**
 * Registers the LB policies with grpc-js, as `disco_<name>`, and a resolver for `etcd:` targets, if a discovery or a
 * context is given. grpc-js keeps both process-wide: a second call replaces the discovery of channels created later. If
 * the program dials by another copy of grpc-js than disco-registry, it emits a process warning with the code
 * DISCO_TWO_GRPC_JS.
 *
 * With `context`, it opens the registry of the context and returns a promise. Closing the installation closes that
 * registry, so close the channels first.
 *
 * @throws DiscoError USAGE for an unknown option, for a context that is not a string or that `Registry.open` refuses,
 *   and for a grpc-js that is too old, with the version found and the version needed
 * @example
 * ```ts
 * import { Registry } from 'disco-registry'
 * import { install } from 'disco-registry/grpc'
 *
 * install({ discovery: await Registry.open() })
 * await install({ context: 'dc1' })
 * ```
 */
export function install(options: ContextInstallOptions): Promise<Installation>
export function install(options?: InstallOptions): Installation
export function install(
  options: InstallOptions | ContextInstallOptions = {},
): Installation | Promise<Installation> {
  return 'context' in options ? installContext(options) : installDiscovery(options)
}

async function installContext({ policies = [], ...options }: ContextInstallOptions): Promise<Installation> {
  if ('discovery' in options) {
    throw new DiscoError('USAGE', 'The options context and discovery exclude each other')
  }
  // Without this check, an unset variable would install the default registry of the environment.
  if (typeof options.context !== 'string') {
    throw new DiscoError(
      'USAGE',
      `The option context is ${String(options.context)}, not the name of a context`,
    )
  }
  // Loaded only here: programs with their own discovery need no etcd client.
  const { Registry } = await import('./registry/registry.js')
  const registry = await Registry.open(options)
  try {
    const installation = installDiscovery({ discovery: registry, policies })
    const close = () => {
      installation.close()
      registry.close()
    }
    return { close, [Symbol.asyncDispose]: async () => close() }
  } catch (error) {
    registry.close()
    throw error
  }
}
