import { DiscoError } from '../../domain/errors.js'
import type { Origin } from '../../domain/origins.js'
import type { Environment } from '../../registry/environment.js'
import { CLUSTER_FLAGS } from '../flags/connection-names.js'
import { type Layers, readLayers } from './layers.js'
import { inOneContext, type TypedCommand } from './one-context.js'

/** The settings of a context whose registry a command reads. */
export interface ReadContext {
  /** Null if -C does not name several. */
  readonly origin: Origin | null
  readonly layers: Layers
}

/**
 * The contexts of a command: those of `-C NAME,NAME`, each with its own settings; otherwise the single one that flags,
 * variables and files determine.
 *
 * @param typed the command as typed, for errors
 * @param takesSeveral whether the command reads several registries together
 * @throws DiscoError USAGE as `readLayers`; also if -C names several contexts, but the command works
 *   in a single one, or a flag configures a connection
 */
export async function readContexts(
  { typed, takesSeveral }: { readonly typed: TypedCommand; readonly takesSeveral: boolean },
  flags: Layers['flags'],
  env: Environment,
  folder: string | null,
): Promise<readonly [ReadContext, ...ReadContext[]]> {
  const { context } = flags
  if (!context?.origins) {
    return [{ origin: null, layers: await readLayers(flags, env, folder) }]
  }
  const [first, ...more] = context.origins
  if (!takesSeveral) {
    const command = typed.id.replaceAll(':', ' ')
    throw new DiscoError(
      'USAGE',
      `disco ${command} works in one context, and -C names several: ${context.text}`,
      {
        suggestions: inOneContext(typed, [first, ...more]),
      },
    )
  }
  const connectionFlag = CLUSTER_FLAGS.find((name) => flags[name] !== undefined)
  if (connectionFlag !== undefined) {
    throw new DiscoError('USAGE', `--${connectionFlag} does not go with several contexts`, {
      suggestions: ['Each context has its own connection: see disco context show NAME'],
    })
  }
  const read = async (origin: Origin): Promise<ReadContext> => {
    const own = { ...flags, context: { text: origin.registry, origins: null } }
    return { origin, layers: await readLayers(own, env, folder) }
  }
  return [await read(first), ...(await Promise.all(more.map(read)))]
}
