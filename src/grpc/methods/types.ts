import {
  create,
  createFileRegistry,
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  type FileRegistry,
  type Registry,
} from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { builtInFiles } from './built-in-files.js'
import type { MissingTypes } from './missing-types.js'
import { normalizeFiles } from './normalize-descriptors.js'

type AnyDesc = DescMessage | DescEnum | DescExtension | DescService

let builtIn: FileRegistry | null = null

function registryOf(file: readonly FileDescriptorProto[]): FileRegistry {
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...file] }))
}

/**
 * Types by name: those of the constructor's files, those that were added later, and the built-in ones, in this order.
 */
export class Types implements Registry {
  readonly kind = 'registry'
  readonly missing: MissingTypes
  private readonly own: FileRegistry
  private readonly later: FileRegistry[] = []
  private readonly described: FileDescriptorProto[]

  /** @throws Error for inconsistent file descriptors */
  constructor(files: readonly FileDescriptorProto[]) {
    this.described = [...files]
    const normalized = normalizeFiles(files)
    this.missing = normalized.missing
    this.own = registryOf(normalized.files)
  }

  /** All files, including added ones, as they were before normalization. */
  get sources(): readonly FileDescriptorProto[] {
    return this.described
  }

  /** Adds files that were fetched later. @throws Error for inconsistent file descriptors; then no file is added */
  add(files: readonly FileDescriptorProto[]): void {
    this.later.push(registryOf(normalizeFiles([...files, ...this.importedBy(files)]).files))
    this.described.push(...files)
  }

  /** The known files that these files import, directly or indirectly. */
  private importedBy(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
    const known = new Map(this.described.map((file) => [file.name, file]))
    const imported = new Set<FileDescriptorProto>()
    const visit = ({ dependency }: FileDescriptorProto) => {
      for (const file of dependency.flatMap((name) => known.get(name) ?? [])) {
        if (imported.has(file)) continue
        imported.add(file)
        visit(file)
      }
    }
    for (const file of files) visit(file)
    return [...imported]
  }

  /** The services in the constructor's files. */
  get services(): DescService[] {
    return [...this.own].filter((described) => described.kind === 'service')
  }

  get files(): DescFile[] {
    return [...this.own.files]
  }

  get(name: string): AnyDesc | undefined {
    return this.first((registry) => registry.get(name))
  }

  getMessage(name: string): DescMessage | undefined {
    return this.first((registry) => registry.getMessage(name))
  }

  getEnum(name: string): DescEnum | undefined {
    return this.first((registry) => registry.getEnum(name))
  }

  getExtension(name: string): DescExtension | undefined {
    return this.first((registry) => registry.getExtension(name))
  }

  getExtensionFor(extendee: DescMessage, number: number): DescExtension | undefined {
    return this.first((registry) => registry.getExtensionFor(extendee, number))
  }

  getService(name: string): DescService | undefined {
    return this.first((registry) => registry.getService(name))
  }

  *[Symbol.iterator](): IterableIterator<AnyDesc> {
    for (const registry of this.layers()) yield* registry
  }

  private first<Found>(find: (registry: FileRegistry) => Found | undefined): Found | undefined {
    for (const registry of this.layers()) {
      const found = find(registry)
      if (found !== undefined) return found
    }
    return undefined
  }

  private *layers(): Generator<FileRegistry> {
    yield this.own
    yield* this.later
    // Created at the first lookup of a name that no other file defines.
    builtIn ??= registryOf(normalizeFiles(builtInFiles()).files)
    yield builtIn
  }
}
