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

/** Services and messages from any source of descriptions. */
export class Descriptors {
  readonly types: Types
  /** Finds types that messages name; makes no requests unless `fetchWith` was called. */
  readonly lookup: TypeLookup
  private readonly services: readonly DescService[]

  /**
   * @param source the source of the descriptions, as a sentence for messages: `Described by hello.proto`
   * @param serviceNames the services that can be called; by default, all in the files
   */
  constructor(
    files: readonly FileDescriptorProto[],
    private readonly source: string,
    private readonly serviceNames?: readonly string[],
    /** The remedy for a missing file, as a sentence; empty for none. */
    readonly remedy = '',
  ) {
    this.types = new Types(files)
    this.lookup = new TypeLookup(this.types)
    const all = this.types.services
    this.services = serviceNames ? all.filter(({ typeName }) => serviceNames.includes(typeName)) : all
  }

  /** Missing descriptions and their consequences, a sentence each; empty if there are none. */
  get gaps(): readonly string[] {
    const named = new Set(this.services.map(({ typeName }) => typeName))
    const services = (this.serviceNames ?? []).filter((name) => !named.has(name))
    const missing = [...this.types.missing.values()].map(whyMissing)
    if (services.length > 0) missing.unshift(`Listed, but not described: ${services.join(', ')}`)
    return missing.length > 0 && this.remedy !== '' ? [...missing, this.remedy] : missing
  }

  /**
   * Finds `package.Service/Method`, `Service/Method`, the same with a dot, or a bare method name that only one
   * service has.
   *
   * @param form the form of replies; by default, canonical JSON
   * @throws DiscoError NOT_FOUND listing the methods, USAGE when several services have it
   */
  method(name: string, form?: ReplyForm): Method {
    const { methodName, services, matches } = this.matching(name)
    const [method, another] = matches
    if (!method) throw noSuchMethod(name, services, this.searched)
    if (another) throw ambiguous(`Several services have a method "${methodName}"`, matches.map(fullName))
    return this.made(method, form)
  }

  /**
   * Describes a method, named as for `method`, a service, a message, an enum, or the type of a field
   * (`package.Message.field`). The package may be omitted if the name is unique.
   *
   * @throws DiscoError NOT_FOUND with suggestions, USAGE for an ambiguous name, RPC_FAILED for a description that
   * contradicts itself
   */
  async describe(name: string): Promise<Described> {
    const own = name.replace(/^\./, '')
    const known = this.find(own)
    // Types that no service imports are fetched only when they are requested.
    const isNew = known === null && (await this.lookup.find([{ fileContainingSymbol: own }]))
    const found = isNew ? this.find(own) : known
    if (!found) throw noSuchName(own, this.typeNames, this.searched)
    if (found.kind === 'rpc') {
      const method = this.made(found)
      return { ...method.description, kind: 'method', method }
    }
    try {
      return { ...descriptionOf(found, this.types), kind: found.kind, method: null }
    } catch (cause) {
      const { message } = cause as Error
      throw new DiscoError('RPC_FAILED', `The description of ${own} cannot be used: ${message}`, {
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
    const own = name.slice(dot + 1)
    const field = holder?.fields.find(({ name, jsonName }) => name === own || jsonName === own)
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
    return this.services.flatMap(({ methods }) => methods.map((method) => this.made(method)))
  }

  private get typeNames(): readonly string[] {
    return [...this.types].flatMap((type) => (describable(type) ? [type.typeName] : []))
  }

  private get searched(): Searched {
    const { services, source, gaps } = this
    return { services, source, gaps }
  }

  private made(method: DescMethod, form?: ReplyForm): Method {
    return new Method(method, this.types, this.source, this.remedy, this.lookup, form)
  }
}

/** A part of a schema, with the method if it is one. */
export type Described = Description &
  (
    | { readonly kind: 'method'; readonly method: Method }
    | { readonly kind: 'service' | 'message' | 'enum'; readonly method: null }
  )

function describable(found: ReturnType<Types['get']>): Describable | null {
  return found && found.kind !== 'extension' ? found : null
}
