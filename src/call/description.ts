import { DiscoError } from '../domain/errors.js'
import { type FileSource, sourceName } from '../domain/file-source.js'
import type { Client } from '../grpc/dial.js'
import { Descriptors } from '../grpc/methods/descriptors.js'
import { type ReflectedSchema, reflect, unreadable } from '../grpc/methods/reflection.js'
import { readProtoFile, readProtoset } from '../grpc/methods/schema-files.js'
import type { Headers } from '../grpc/protocol.js'

/** The files that describe a service's methods, in place of server reflection. */
export interface DescriptionFiles {
  readonly proto?: FileSource | undefined
  readonly 'import-path'?: readonly string[] | undefined
  readonly protoset?: readonly FileSource[] | undefined
}

/** Reads descriptors from files; null if no files are given. @throws DiscoError USAGE for one that cannot be read */
export async function describedByFiles(files: DescriptionFiles): Promise<Descriptors | null> {
  const { proto, protoset = [] } = files
  if (proto !== undefined) {
    const read = await readProtoFile(proto, files['import-path'] ?? [])
    return ofFiles(read.files, sourceName(proto), read.remedy)
  }
  if (files['import-path']?.length) {
    throw new DiscoError('USAGE', '--import-path has no effect without --proto')
  }
  if (protoset.length === 0) return null
  const sets = await Promise.all(protoset.map(readProtoset))
  return ofFiles(sets.flat(), protoset.map(sourceName).join(', '), WITH_IMPORTS)
}

const WITH_IMPORTS = 'A descriptor set with its imports: protoc --include_imports -o FILE YOUR.proto'

/** @throws DiscoError USAGE for files that contradict each other */
function ofFiles(
  files: ConstructorParameters<typeof Descriptors>[0],
  names: string,
  remedy: string,
): Descriptors {
  try {
    return new Descriptors(files, `Described by ${names}`, undefined, remedy)
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot use ${names}: ${(cause as Error).message}`, {
      cause,
      suggestions: [remedy],
    })
  }
}

/**
 * Asks one of the servers for its descriptors, by reflection.
 *
 * @throws DiscoError RPC_FAILED if it has no reflection, does not answer, or sends invalid descriptors
 */
export async function describedByServer(
  client: Client,
  deadlineMs: number,
  signal: AbortSignal,
  headers: Headers = [],
): Promise<Descriptors> {
  return ofServer(await reflect(client, deadlineMs, signal, headers))
}

/** @throws DiscoError RPC_FAILED for descriptors that contradict each other */
export function ofServer({ files, source, services, peer }: ReflectedSchema): Descriptors {
  try {
    const remedy = 'Describe the service by files instead: --proto FILE or --protoset FILE'
    return new Descriptors(files, source, services, remedy)
  } catch (cause) {
    throw unreadable(peer, cause)
  }
}
