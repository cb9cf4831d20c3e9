import type { DescMethod, DescService } from '@bufbuild/protobuf'
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../../domain/errors.js'
import { type Describable, type Description, descriptionOf } from './description.js'
import type { ReplyForm } from './lossless-json.js'
import { fullName, Method } from './method.js'
import { whyMissing } from './missing-types.js'
import { ambiguous, noSuchMethod, noSuchName, type Searched } from './name-errors.js'
import { TypeLookup } from './type-lookup.js'
import { Types } from './types.js'

/** Services and types from any source of file descriptors: reflection, .proto files or a descriptor set. */
export class Descriptors {
  readonly types: Types
  /** Fetches types that messages contain, but the files do not. Needs a call of `fetchWith` first. */
  readonly lookup: TypeLookup
  private readonly services: readonly DescService[]

  /**
   * @param source the source of the files, as a sentence for messages: `Described by hello.proto`
   * @param serviceNames full names of the services that can be called; by default, all services in the files
   * @throws Error for inconsistent file descriptors
   */
  constructor(
    files: readonly FileDescriptorProto[],
    private readonly source: string,
    private readonly serviceNames?: readonly string[],
    /** The remedy for a missing file, as a sentence; empty if there is none. */
    readonly remedy = '',
  ) {
    this.types = new Types(files)
    this.lookup = new TypeLookup(this.types)
    const all = this.types.services
    this.services = serviceNames ? all.filter(({ typeName }) => serviceNames.includes(typeName)) : all
  }

  /** The missing services and types, one sentence each, followed by the remedy; empty if nothing is missing. */
  get gaps(): readonly string[] {
    const described = new Set(this.services.map(({ typeName }) => typeName))
    const services = (this.serviceNames ?? []).filter((name) => !described.has(name))
    const missing = [...this.types.missing.values()].map(whyMissing)
    if (services.length > 0) missing.unshift(`Listed, but not described: ${services.join(', ')}`)
    return missing.length > 0 && this.remedy !== '' ? [...missing, this.remedy] : missing
  }

  /**
   * Finds a method by name: `package.Service/Method`, `Service/Method`, the same with a dot for the slash, or `Method`
   * if only one service has a method of this name.
   *
   * @param form the JSON form of replies; by default, canonical JSON
   * @throws DiscoError NOT_FOUND with the known methods, USAGE if several services have the method
   */
  method(name: string, form?: ReplyForm): Method {
    const { methodName, services, matches } = this.matching(name)
    const [method, another] = matches
    if (!method) throw noSuchMethod(name, services, this.searched)
    if (another) throw ambiguous(`Several services have a method "${methodName}"`, matches.map(fullName))
    return this.toMethod(method, form)
  }

  /**
   * Describes a schema element: a method with a name as for `method`, a service, a message, an enum, or the type of a
   * field (`package.Message.field`). The package may be omitted if the name is unique.
   *
   * @throws DiscoError NOT_FOUND with suggestions, USAGE for an ambiguous name, RPC_FAILED for inconsistent file
   *   descriptors
   */
  async describe(name: string): Promise<ElementDescription> {
    const wanted = name.replace(/^\./, '')
    const known = this.find(wanted)
    // Types that no service imports are fetched only on demand.
    const isNew = known === null && (await this.lookup.find([{ fileContainingSymbol: wanted }]))
    const found = isNew ? this.find(wanted) : known
    if (!found) throw noSuchName(wanted, this.typeNames, this.searched)
    if (found.kind === 'rpc') {
      const method = this.toMethod(found)
      return { ...method.description, kind: 'method', method }
    }
    try {
      return { ...descriptionOf(found, this.types), kind: found.kind, method: null }
    } catch (cause) {
      const { message } = cause as Error
      throw new DiscoError('RPC_FAILED', `The description of ${wanted} cannot be used: ${message}`, {
        cause,
        suggestions: [this.source],
      })
    }
  }

  private find(name: string): Describable | null {
    const exact = describable(this.types.get(name))
    if (exact && name.includes('.')) return exact
    const { matches } = this.matching(name)
    const [method, another] = matches
    if (another) throw ambiguous(`Several services have a method "${name}"`, matches.map(fullName))
    return method ?? exact ?? this.typeNamed(name) ?? this.typeOfField(name)
  }

  private typeNamed(name: string): Describable | null {
    const found = new Map<string, Describable>()
    for (const type of this.types) {
      const known = type.typeName.endsWith(`.${name}`) ? describable(type) : null
      if (known && !found.has(type.typeName)) found.set(type.typeName, known)
    }
    const [only = null] = found.values()
    if (found.size > 1) throw ambiguous(`Several types are named "${name}"`, [...found.keys()])
    return only
  }

  private typeOfField(name: string): Describable | null {
    const dot = name.lastIndexOf('.')
    const holder = this.types.getMessage(name.slice(0, Math.max(0, dot)))
    const fieldName = name.slice(dot + 1)
    const field = holder?.fields.find(({ name, jsonName }) => name === fieldName || jsonName === fieldName)
    return field ? (field.message ?? field.enum ?? holder ?? null) : null
  }

  private matching(name: string) {
    const [, serviceName = '', methodName = ''] = /^(?:(.*)[./])?([^./]*)$/.exec(name) ?? []
    const services = this.services.filter(
      ({ typeName }) =>
        serviceName === '' || typeName === serviceName || typeName.endsWith(`.${serviceName}`),
    )
    const matches = services.flatMap(({ methods }) => methods.filter((method) => method.name === methodName))
    return { methodName, services, matches }
  }

  /** All methods that can be called. */
  get methods(): readonly Method[] {
    return this.services.flatMap(({ methods }) => methods.map((method) => this.toMethod(method)))
  }

  private get typeNames(): readonly string[] {
    return [...this.types].flatMap((type) => (describable(type) ? [type.typeName] : []))
  }

  private get searched(): Searched {
    const { services, source, gaps } = this
    return { services, source, gaps }
  }

  private toMethod(method: DescMethod, form?: ReplyForm): Method {
    return new Method(method, this.types, this.source, this.remedy, this.lookup, form)
  }
}

/** A described schema element; `method` is null for an element of another kind. */
export type ElementDescription = Description &
  (
    | { readonly kind: 'method'; readonly method: Method }
    | { readonly kind: 'service' | 'message' | 'enum'; readonly method: null }
  )

function describable(found: ReturnType<Types['get']>): Describable | null {
  return found && found.kind !== 'extension' ? found : null
}
