import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../../domain/errors.js'
import { type FileSource, pathOf, sourceName } from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'
import { readSource } from '../../net/files.js'

/** The files of a FileDescriptorSet. @throws DiscoError USAGE for a file that is not one */
export async function readProtoset(file: FileSource): Promise<FileDescriptorProto[]> {
  try {
    const files = fromBinary(FileDescriptorSetSchema, await readSource(file)).file
    if (files.length === 0) throw new Error('it is empty')
    return files
  } catch (cause) {
    throw new DiscoError(
      'USAGE',
      `Cannot read ${sourceName(file)} as a descriptor set: ${systemMessage(cause)}`,
      {
        cause,
        suggestions: [`Make one: protoc --include_imports -o ${pathOf(file) ?? 'FILE'} YOUR.proto`],
      },
    )
  }
}
