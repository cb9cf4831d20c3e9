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
import type { ReflectionQuestion } from './reflection-protocol.js'
import { namedTypes, type TypeLookup } from './type-lookup.js'
import type { Types } from './types.js'

/** A reply as JSON. */
export interface DecodedReply {
  /** In the form of `losslessJson`; for an invalid message, its bytes in base64. */
  readonly json: JsonValue
  /** Null for a valid reply of the method. */
  readonly problem: DiscoError | null
  /** Types and extensions without a description; `Method.learnFrom` asks for them. */
  readonly lacking: readonly ReflectionQuestion[]
}

/** The details of an error, as JSON. */
export interface DecodedDetails {
  readonly json: readonly JsonValue[]
  /** As in `DecodedReply`. */
  readonly lacking: readonly ReflectionQuestion[]
}

const CANONICAL: ReplyForm = { emitsDefaults: false }

/** A method with its messages as canonical proto3 JSON. */
export class Method {
  constructor(
    private readonly described: DescMethod,
    private readonly registry: Types,
    /** The source of the description, as a sentence for messages. */
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

  /** The form of the :path header. */
  get path(): string {
    return `/${this.name}`
  }

  get kind(): DescMethod['methodKind'] {
    return this.described.methodKind
  }

  get streamsReplies(): boolean {
    return this.kind === 'server_streaming' || this.kind === 'bidi_streaming'
  }

  /** Full names of the two messages. */
  get messages(): { readonly request: string; readonly reply: string } {
    const { input, output } = this.described
    return { request: input.typeName, reply: output.typeName }
  }

  /** The description, for output. @throws DiscoError RPC_FAILED if its description contradicts itself */
  get description(): Description {
    try {
      return descriptionOf(this.described, this.registry)
    } catch (cause) {
      throw this.unusable(cause)
    }
  }

  /** @throws DiscoError USAGE for an unknown field, or a value of another type */
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
      // Not an error about the data: protobuf-es failed on the description.
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

  /** Asks the server, if possible, for types in a request that have no description. */
  async learn(json: ExactJson): Promise<void> {
    await this.lookup.find(namedTypes(json, this.registry))
  }

  /** Whether `learnFrom` would ask the server. */
  canLearnFrom({ lacking }: Pick<DecodedReply, 'lacking'>): boolean {
    return this.lookup.canFetch(lacking)
  }

  /**
   * Asks the server for types in a reply that have no description.
   *
   * @returns whether more of the reply can now be decoded
   */
  async learnFrom({ lacking }: Pick<DecodedReply, 'lacking'>): Promise<boolean> {
    return await this.lookup.find(lacking)
  }

  /** Never throws. */
  decode(bytes: Uint8Array): DecodedReply {
    const { output } = this.described
    const lacking: ReflectionQuestion[] = []
    try {
      const json = losslessJson(output, fromBinary(output, bytes), this.registry, this.form, lacking)
      return { json, problem: null, lacking }
    } catch (cause) {
      const problem = new DiscoError(
        'RPC_FAILED',
        `The reply is not a valid ${output.typeName}: ${(cause as Error).message}`,
        { cause, suggestions: ['Does the server have another version of the .proto?'] },
      )
      return { json: { ...rawJson(output.typeName, bytes), '@note': problem.message }, problem, lacking }
    }
  }

  /** The details of an error, from its trailer grpc-status-details-bin. */
  decodeDetails(status: Uint8Array): DecodedDetails {
    const lacking: ReflectionQuestion[] = []
    return { json: errorDetails(status, this.registry, this.form, lacking), lacking }
  }
}

/** The error of protobuf-es, without the name of the whole message. */
function problemIn(message: string, json: ExactJson, typeName: string): string {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  // Google's own types have special JSON forms.
  if (!isObject && !typeName.startsWith('google.protobuf.')) return 'a message is an object in JSON, {…}'
  return withoutMessageName(message, typeName)
}

export function fullName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`
}

const STATUS = 'google.rpc.Status'

/**
 * The details of a google.rpc.Status, each with its `@type`. Google's own types are built in; an unknown type, and
 * bytes that are not a Status, are shown as bytes.
 *
 * @param lacking receives a question for each type without a description
 */
export function errorDetails(
  bytes: Uint8Array,
  types: Types,
  form: ReplyForm,
  lacking: ReflectionQuestion[],
): readonly JsonValue[] {
  const status = types.getMessage(STATUS)
  try {
    if (!status) return [rawJson(STATUS, bytes)]
    const { details } = losslessJson(status, fromBinary(status, bytes), types, form, lacking) as JsonObject
    return Array.isArray(details) ? details : []
  } catch (error) {
    return [{ ...rawJson(STATUS, bytes), '@note': (error as Error).message }]
  }
}
