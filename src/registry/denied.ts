import { DiscoError } from '../domain/errors.js'
import { AUTO, type Reader } from '../domain/layouts/reader.js'

/** To find out every key's layout is to read all keys, which a role for one prefix does not cover: says so. */
export function explainDenied(thrown: unknown, reader: Reader): unknown {
  const isDenied = thrown instanceof DiscoError && thrown.code === 'ETCD_DENIED'
  if (!isDenied || reader.layout !== AUTO) return thrown
  return new DiscoError(thrown.code, thrown.message, {
    cause: thrown,
    suggestions: [
      ...thrown.suggestions,
      'Without a layout all keys are read. Name one, such as --layout seed, or a part of the keys: --root PREFIX',
    ],
  })
}

/** What is only asked for a better suggestion may be denied: then there is null. */
export async function unlessDenied<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DiscoError && error.code === 'ETCD_DENIED') return null
    throw error
  }
}
