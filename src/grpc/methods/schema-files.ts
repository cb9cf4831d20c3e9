import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../../domain/errors.js'
import { type FileSource, pathOf, sourceName, withoutMark } from '../../domain/file-source.js'
import { systemMessage } from '../../domain/system-message.js'
import { readSource } from '../../net/files.js'
import { builtInFiles } from './built-in-files.js'
import { parseProto } from './proto-source/parse.js'
import { ProtoProblem } from './proto-source/tokens.js'

/** The file descriptors of a .proto file and its imports. */
export interface ProtoFiles {
  readonly files: readonly FileDescriptorProto[]
  /** The remedy for imports that were not found, as a sentence for messages. */
  readonly remedy: string
}

/**
 * Reads a .proto file and its imports. An import that is not found is not an error: only the methods that use its types
 * cannot be called.
 *
 * @param source the file, or its content
 * @param importPaths folders in which the file and its imports are searched, after the working folder
 * @throws DiscoError USAGE if the file is not found, or if the file or an import that was found cannot be read or
 *   parsed
 */
export async function readProtoFile(source: FileSource, importPaths: readonly string[]): Promise<ProtoFiles> {
  const folders = ['.', ...importPaths]
  const find = (name: string) => folders.map((folder) => resolve(folder, name)).find(existsSync)
  const file = sourceName(source)
  // Content without a path is treated as a file in the working folder.
  const given = pathOf(source)
  const path = given === null ? resolve(file) : find(given)
  if (path === undefined) {
    throw new DiscoError('USAGE', `Cannot read ${file}: no such file`, {
      suggestions: [searchedFolders(folders)],
    })
  }
  const first = given === null ? source : path
  const from = typeof source !== 'string' && 'path' in source ? ` from ${source.source}` : ''
  const builtIn = new Set(builtInFiles().map(({ name }) => name))
  const files = new Map<string, FileDescriptorProto>()
  const absent = new Set<string>()
  const pending = [{ name: importName(path, importPaths) ?? given ?? file, path }]
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (files.has(next.name)) continue
    const read =
      next.path === path ? await readOne(first, next.name, from) : await readOne(next.path, next.name)
    files.set(next.name, read)
    for (const name of read.dependency) {
      const found = find(name)
      if (found !== undefined) pending.push({ name, path: found })
      else if (!builtIn.has(name)) absent.add(name)
    }
  }
  return { files: [...files.values()], remedy: remedyFor([...absent], path, folders) }
}

/** @param from the flag, variable or context that names the file, appended to messages, such as ` from --proto` */
async function readOne(source: FileSource, name: string, from = ''): Promise<FileDescriptorProto> {
  try {
    return parseProto(withoutMark((await readSource(source)).toString()), name)
  } catch (cause) {
    const [place, problem] =
      cause instanceof ProtoProblem ? [`:${cause.place}`, cause.problem] : ['', systemMessage(cause)]
    throw new DiscoError('USAGE', `Cannot read ${name}${place}${from}: ${problem}`, {
      cause,
      suggestions: ['Give the folders of its imports: --import-path DIR'],
    })
  }
}

/** The name by which other files import a file, as in protoc: relative to its import path. */
function importName(path: string, importPaths: readonly string[]): string | undefined {
  const names = importPaths.map((folder) => relative(folder, path))
  return names.find((name) => !name.startsWith('..') && !isAbsolute(name))
}

/**
 * Suggests an import path: a folder above the file that contains a missing import, or other folders than those
 * searched.
 */
function remedyFor(absent: readonly string[], path: string, folders: readonly string[]): string {
  const found = absent.flatMap((name) =>
    foldersAbove(path).filter((folder) => existsSync(join(folder, name))),
  )
  if (found[0] !== undefined) return `Found there: --import-path ${relative('.', found[0]) || '.'}`
  return searchedFolders(folders)
}

function searchedFolders(folders: readonly string[]): string {
  const names = folders.map((folder) => (folder === '.' ? 'the current folder' : folder))
  return `Searched ${names.join(', ')}; other folders: --import-path DIR`
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersAbove(folder)]
}

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
