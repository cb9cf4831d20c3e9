import { DiscoError } from '../domain/errors.js'
import type { Client } from '../grpc/dial.js'
import { Descriptors } from '../grpc/methods/descriptors.js'
import { readProtoFile } from '../grpc/methods/proto-file.js'
import { readProtoset } from '../grpc/methods/protoset.js'
import { reflect } from '../grpc/methods/reflection.js'

/** The files that describe a service's methods, where its servers are not to be asked. */
export interface DescriptionFiles {
  readonly proto?: string | undefined
  readonly 'import-path'?: readonly string[] | undefined
  readonly protoset?: readonly string[] | undefined
}

/** What the files say; null where there are none. @throws DiscoError USAGE for one that cannot be read */
export async function describedByFiles(files: DescriptionFiles): Promise<Descriptors | null> {
  const { proto, protoset = [] } = files
  if (proto !== undefined) {
    return new Descriptors(await readProtoFile(proto, files['import-path'] ?? []), `Described by ${proto}`)
  }
  if (files['import-path']?.length) {
    throw new DiscoError('USAGE', '--import-path has no effect without --proto')
  }
  if (protoset.length === 0) return null
  const sets = await Promise.all(protoset.map(readProtoset))
  return new Descriptors(sets.flat(), `Described by ${protoset.join(', ')}`)
}

/** What one of the servers says. @throws DiscoError RPC_FAILED where it has no reflection, or does not answer */
export async function describedByServer(
  client: Client,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Descriptors> {
  const { files, source, services } = await reflect(client, deadlineMs, signal)
  return new Descriptors(files, source, services)
}
