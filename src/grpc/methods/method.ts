import {
  type DescMethod,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
} from '@bufbuild/protobuf'
import { DiscoError } from '../../domain/errors.js'
import type { ExactJson } from '../../domain/exact-json.js'
import { type Description, descriptionOf } from './description.js'
import { withoutMessageName } from './from-json-texts.js'
import { readNumbers } from './json-numbers.js'
import { jsonRemedies } from './json-remedies.js'
import { losslessJson, type ReplyForm, rawJson } from './lossless-json.js'
import { whyMissing } from './missing-types.js'
import type { ReflectionRequest } from './reflection-protocol.js'
import { namedTypes, type TypeLookup } from './type-lookup.js'
import type { Types } from './types.js'

/** A reply as JSON. */
export interface DecodedReply {
  /** The JSON from `losslessJson`; `@type` with the bytes in base64 for a reply that cannot be decoded. */
  readonly json: JsonValue
  /** Why the reply cannot be decoded; null for a valid reply. */
  readonly problem: DiscoError | null
  /** Reflection requests for the unknown types and extensions in the reply, for `Method.fetchTypesFor`. */
  readonly undescribed: readonly ReflectionRequest[]
}

/** The details of an error status, as JSON. */
export interface DecodedDetails {
  readonly json: readonly JsonValue[]
  /** As in `DecodedReply`. */
  readonly undescribed: readonly ReflectionRequest[]
}

const CANONICAL: ReplyForm = { emitsDefaults: false }

/** A method that encodes its requests from JSON and decodes its replies to JSON (ProtoJSON). */
export class Method {
  constructor(
    private readonly described: DescMethod,
    private readonly registry: Types,
    /** The source of the file descriptors, as a sentence for messages. */
    private readonly source: string,
    /** The remedy for a missing file, as a sentence for messages. */
    private readonly remedy: string,
    private readonly lookup: TypeLookup,
    private readonly form: ReplyForm = CANONICAL,
  ) {}

  /** `package.Service/Method` */
  get name(): string {
    return fullName(this.described)
  }

  /** The `:path` header of a call: `/package.Service/Method`. */
  get path(): string {
    return `/${this.name}`
  }

  get kind(): DescMethod['methodKind'] {
    return this.described.methodKind
  }

  get streamsReplies(): boolean {
    return this.kind === 'server_streaming' || this.kind === 'bidi_streaming'
  }

  /** Full names of the request and reply messages. */
  get messages(): { readonly request: string; readonly reply: string } {
    const { input, output } = this.described
    return { request: input.typeName, reply: output.typeName }
  }

  /** The description, for display. @throws DiscoError RPC_FAILED for inconsistent file descriptors */
  get description(): Description {
    try {
      return descriptionOf(this.described, this.registry)
    } catch (cause) {
      throw this.unusable(cause)
    }
  }

  /**
   * Encodes a request.
   *
   * @throws DiscoError USAGE for JSON that is not a valid request, or a request type that is missing; RPC_FAILED for
   *   inconsistent file descriptors
   */
  encode(json: ExactJson): Buffer {
    const { input } = this.described
    const missing = this.registry.missing.get(input.typeName)
    if (missing) {
      throw new DiscoError('USAGE', `${this.name} cannot be called: ${whyMissing(missing)}`, {
        suggestions: [this.remedy],
      })
    }
    try {
      const value = readNumbers(json, input, this.registry)
      return Buffer.from(toBinary(input, fromJson(input, value, { registry: this.registry })))
    } catch (cause) {
      const { message } = cause as Error
      // protobuf-es throws these errors for inconsistent file descriptors, not for invalid JSON.
      if (cause instanceof TypeError || cause instanceof RangeError) throw this.unusable(cause)
      throw new DiscoError(
        'USAGE',
        `The data is not a valid ${input.typeName}: ${problemIn(message, json, input.typeName)}`,
        {
          cause,
          suggestions: jsonRemedies(message, input, this.registry, this.remedy),
        },
      )
    }
  }

  private unusable(cause: unknown): DiscoError {
    const { message } = cause as Error
    return new DiscoError('RPC_FAILED', `The description of ${this.name} cannot be used: ${message}`, {
      cause,
      suggestions: [this.source],
    })
  }

  /** Fetches the unknown types that a request names, if the server has reflection. */
  async fetchTypesIn(json: ExactJson): Promise<void> {
    await this.lookup.find(namedTypes(json, this.registry))
  }

  /** Whether `fetchTypesFor` would send requests to the server. */
  canFetchTypesFor({ undescribed }: Pick<DecodedReply, 'undescribed'>): boolean {
    return this.lookup.canFetch(undescribed)
  }

  /**
   * Fetches the unknown types and extensions of a reply by server reflection.
   *
   * @returns whether types were added, so that decoding the reply again shows more of it
   */
  async fetchTypesFor({ undescribed }: Pick<DecodedReply, 'undescribed'>): Promise<boolean> {
    return await this.lookup.find(undescribed)
  }

  /** Decodes a reply. Never throws. */
  decode(bytes: Uint8Array): DecodedReply {
    const { output } = this.described
    const undescribed: ReflectionRequest[] = []
    try {
      const json = losslessJson(output, fromBinary(output, bytes), this.registry, this.form, undescribed)
      return { json, problem: null, undescribed }
    } catch (cause) {
      const problem = new DiscoError(
        'RPC_FAILED',
        `The reply is not a valid ${output.typeName}: ${(cause as Error).message}`,
        { cause, suggestions: ['Does the server have another version of the .proto?'] },
      )
      return { json: { ...rawJson(output.typeName, bytes), '@note': problem.message }, problem, undescribed }
    }
  }

  /** Decodes the details of an error status. @param status the trailer grpc-status-details-bin */
  decodeDetails(status: Uint8Array): DecodedDetails {
    const undescribed: ReflectionRequest[] = []
    return { json: errorDetails(status, this.registry, this.form, undescribed), undescribed }
  }
}

/** The error text of protobuf-es, without the name of the outermost message. */
function problemIn(message: string, json: ExactJson, typeName: string): string {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  // The JSON form of a google.protobuf message may be another than an object.
  if (!isObject && !typeName.startsWith('google.protobuf.')) return 'a message is an object in JSON, {…}'
  return withoutMessageName(message, typeName)
}

/** `package.Service/Method` */
export function fullName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`
}

const STATUS = 'google.rpc.Status'

/**
 * The details of a google.rpc.Status, each with its `@type`. The types of google.rpc are always known. A detail of an
 * unknown type, and bytes that are not a Status, are represented by their bytes, as by {@link rawJson}.
 *
 * @param undescribed receives a reflection request for each unknown type
 */
export function errorDetails(
  bytes: Uint8Array,
  types: Types,
  form: ReplyForm,
  undescribed: ReflectionRequest[],
): readonly JsonValue[] {
  const status = types.getMessage(STATUS)
  try {
    if (!status) return [rawJson(STATUS, bytes)]
    const { details } = losslessJson(
      status,
      fromBinary(status, bytes),
      types,
      form,
      undescribed,
    ) as JsonObject
    return Array.isArray(details) ? details : []
  } catch (error) {
    return [{ ...rawJson(STATUS, bytes), '@note': (error as Error).message }]
  }
}
