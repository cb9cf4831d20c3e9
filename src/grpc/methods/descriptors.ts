import type { DescMethod, DescService } from '@bufbuild/protobuf'
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { DiscoError } from '../../domain/errors.js'
import { didYouMean } from '../../domain/nearest.js'
import type { ReplyForm } from './lossless-json.js'
import { fullName, Method } from './method.js'
import { whyMissing } from './missing-types.js'
import { TypeLookup } from './type-lookup.js'
import { Types } from './types.js'

/** Services and messages, from wherever they were described. */
export class Descriptors {
  readonly types: Types
  /** Finds types that messages name; asks nobody by itself. */
  readonly lookup: TypeLookup
  private readonly services: readonly DescService[]

  /**
   * @param source what described them, as a sentence for messages: `Described by hello.proto`
   * @param serviceNames the services that can be called; without, all that the files have
   * @param remedy how to get a file that is missing, for messages
   */
  constructor(
    files: readonly FileDescriptorProto[],
    private readonly source: string,
    private readonly serviceNames?: readonly string[],
    private readonly remedy = '',
  ) {
    this.types = new Types(files)
    this.lookup = new TypeLookup(this.types)
    const all = this.types.services
    this.services = serviceNames ? all.filter(({ typeName }) => serviceNames.includes(typeName)) : all
  }

  /** What is not described, and what that costs, a sentence each; empty where everything is. */
  get gaps(): readonly string[] {
    const named = new Set(this.services.map(({ typeName }) => typeName))
    const services = (this.serviceNames ?? []).filter((name) => !named.has(name))
    const missing = [...this.types.missing.values()].map(whyMissing)
    if (services.length > 0) missing.unshift(`Listed, but not described: ${services.join(', ')}`)
    return missing.length > 0 && this.remedy !== '' ? [...missing, this.remedy] : missing
  }

  /**
   * Finds `package.Service/Method`, `Service/Method`, the same with a dot, or a bare method name that only
   * one service has.
   *
   * @param form how replies are written; canonical JSON without
   * @throws DiscoError NOT_FOUND with the methods that there are, USAGE when several services have it
   */
  method(name: string, form?: ReplyForm): Method {
    const [, serviceName = '', methodName = ''] = /^(?:(.*)[./])?([^./]*)$/.exec(name) ?? []
    const services = this.services.filter(
      ({ typeName }) =>
        serviceName === '' || typeName === serviceName || typeName.endsWith(`.${serviceName}`),
    )
    const matches = services.flatMap(({ methods }) => methods.filter((method) => method.name === methodName))
    const [method, another] = matches
    if (!method) throw this.noSuchMethod(name, services)
    if (another) {
      throw new DiscoError('USAGE', `Several services have a method "${methodName}"`, {
        suggestions: [`Name one: ${matches.map(fullName).join(', ')}`],
      })
    }
    return this.made(method, form)
  }

  /** Every method that can be called. */
  get methods(): readonly Method[] {
    return this.services.flatMap(({ methods }) => methods.map((method) => this.made(method)))
  }

  private made(method: DescMethod, form?: ReplyForm): Method {
    return new Method(method, this.types, this.source, this.remedy, this.lookup, form)
  }

  private noSuchMethod(name: string, services: readonly DescService[]): DiscoError {
    const [only] = services.length === 1 ? services : []
    const candidates = services.length > 0 ? services : this.services
    const names = candidates.flatMap(({ methods }) =>
      methods.map((method) => (only ? method.name : fullName(method))),
    )
    const bare = name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf('/')) + 1)
    return new DiscoError(
      'NOT_FOUND',
      only ? `${only.typeName} has no method "${bare}"` : `No service here has a method "${name}"`,
      {
        suggestions: [
          ...didYouMean(only ? bare : name, names),
          `${only ? 'It has' : 'They have'}: ${names.join(', ') || 'none'}. ${this.source}`,
          ...this.gaps,
        ],
      },
    )
  }
}
