import type { EndpointRecord } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { KeysToHold } from '../registry/apply/hold-groups.js'
import type { StatedKey } from '../registry/file/keys.js'
import type { StoredForm } from '../registry/registration/acquire-key.js'
import type { Registry } from '../registry/registry.js'
import { Registrar } from './registrar/registrar.js'

/**
 * Creates a registrar that holds a group of keys, with the keys and values that a file states.
 *
 * @param onLeft called with the conflict of each key that another registrar holds, unless all keys are held: then `run`
 *   rejects with the first conflict
 */
export function registrarOf(
  registry: Registry,
  { ttlSeconds, keys }: KeysToHold,
  onLeft: (conflict: DiscoError) => void,
): Registrar {
  const stored = new Map<EndpointRecord, StoredForm>()
  const record = ({ key, value, records: [first] }: StatedKey) => {
    stored.set(first, { key, value })
    return first
  }
  const [first, ...rest] = keys
  return new Registrar({
    registry,
    request: {
      registered: [record(first), ...rest.map(record)],
      ttlSeconds,
      stored: (registered) => stored.get(registered) ?? null,
      onHeldElsewhere: onLeft,
    },
    drainMs: 0,
    killAfterMs: 0,
  })
}

/**
 * Runs registrars until all have ended. A registrar whose keys are held or taken over by other registrars ends without an
 * error.
 *
 * @param onLeft called with the conflict when a registrar ends because another registrar has a key of it
 * @returns the highest exit code of the registrars
 * @throws the first other error of a registrar, after all have ended
 */
export async function holdAll(
  registrars: readonly Registrar[],
  onLeft: (conflict: DiscoError) => void,
): Promise<number> {
  const errors: DiscoError[] = []
  const codes = await Promise.all(
    registrars.map((registrar) =>
      registrar.run().catch((thrown: unknown) => {
        const error = DiscoError.from(thrown)
        if (error.code === 'CONFLICT') onLeft(error)
        else {
          errors.push(error)
          // This process must not look as if it holds all registrations when some failed.
          for (const other of registrars) other.stop()
        }
        return 0
      }),
    ),
  )
  const [first] = errors
  if (first) throw first
  return Math.max(0, ...codes)
}
