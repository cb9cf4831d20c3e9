import { readFile } from 'node:fs/promises'
import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../../domain/errors.js'

/** The files of a FileDescriptorSet. @throws DiscoError USAGE when there is none in the file */
export async function readProtoset(file: string): Promise<FileDescriptorProto[]> {
  try {
    const files = fromBinary(FileDescriptorSetSchema, await readFile(file)).file
    if (files.length === 0) throw new Error('it is empty')
    return files
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read ${file} as a descriptor set: ${(cause as Error).message}`, {
      cause,
      suggestions: [`Make one: protoc --include_imports -o ${file} YOUR.proto`],
    })
  }
}
