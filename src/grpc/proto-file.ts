import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../domain/errors.js'

/** The files that a .proto file and its imports describe. @throws DiscoError USAGE when it cannot be read */
export async function readProtoFile(
  file: string,
  importPaths: readonly string[],
): Promise<FileDescriptorProto[]> {
  const includeDirs = ['.', ...importPaths]
  // proto-loader would say so too, but with a warning of Node's before.
  if (!includeDirs.some((folder) => existsSync(resolve(folder, file)))) {
    throw new DiscoError('USAGE', `Cannot read ${file}: no such file`, {
      suggestions: [`Looked in: ${includeDirs.join(', ')}. Other folders: --import-path DIR`],
    })
  }
  const { load } = await import('@grpc/proto-loader')
  try {
    const definitions = await load(file, { includeDirs, keepCase: true })
    const files = new Map<string, FileDescriptorProto>()
    for (const definition of Object.values(definitions)) {
      if (!Array.isArray(definition.fileDescriptorProtos)) continue
      for (const bytes of definition.fileDescriptorProtos as Buffer[]) {
        const described = fromBinary(FileDescriptorProtoSchema, bytes)
        files.set(described.name, described)
      }
    }
    return [...files.values()]
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read ${file}: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Folders that its imports are found in: --import-path DIR'],
    })
  }
}
