import {
  type DescExtension,
  type DescField,
  type DescMessage,
  fromBinary,
  getExtension,
  isFieldSet,
  isMessage,
  type JsonValue,
  type Message,
  ScalarType,
  toBinary,
  toJson,
  type UnknownField,
} from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import {
  type Any,
  FeatureSet_FieldPresence,
  hasCustomJsonRepresentation,
  isWrapperDesc,
} from '@bufbuild/protobuf/wkt'
import type { ReflectionRequest } from './reflection-protocol.js'
import type { Types } from './types.js'
import { base64, unknownFields } from './unknown-fields.js'

/** The JSON form of replies. */
export interface ReplyForm {
  /** Whether to write empty lists, empty maps, and fields without presence that have their default value. */
  readonly emitsDefaults: boolean
}

/**
 * Maximum depth of Anys inside Anys. Each Any is decoded separately, so the decoder's recursion limit has no effect.
 */
const MAX_NESTED_ANYS = 20

/**
 * A message as canonical ProtoJSON. Parts that ProtoJSON cannot represent are added under names that no field has:
 *
 * - `{"@type": …, "@value": base64}` replaces a message whose type is unknown, in an Any or elsewhere.
 * - `"@unknown"` contains the fields that the message type does not define.
 * - `"@note"` explains why a value is not in its ProtoJSON form, such as a Timestamp that is out of range.
 *
 * @param undescribed receives a reflection request for each unknown type and extension
 */
export function losslessJson(
  desc: DescMessage,
  message: Message,
  types: Types,
  form: ReplyForm,
  undescribed: ReflectionRequest[] = [],
): JsonValue {
  if (!hasUnknownOrAny(message)) {
    try {
      return toJson(desc, message, { registry: types, alwaysEmitImplicit: form.emitsDefaults })
    } catch {
      // A value has no ProtoJSON form: `Writer` writes it with a note.
    }
  }
  return new Writer(types, form, undescribed, 0).message(reflect(desc, message, false))
}

/** Whether a message contains unknown fields, which protobuf-es omits, or an Any, for which it may throw. */
function hasUnknownOrAny(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (Array.isArray(value)) return value.some(hasUnknownOrAny)
  if ('$unknown' in value || ('$typeName' in value && value.$typeName === 'google.protobuf.Any')) return true
  return Object.values(value).some(hasUnknownOrAny)
}

/** The JSON of a message whose type is unknown, or whose bytes are invalid. */
export function rawJson(type: string, bytes: Uint8Array): { [name: string]: JsonValue } {
  return { '@type': type, '@value': base64(bytes) }
}

class Writer {
  constructor(
    private readonly types: Types,
    private readonly form: ReplyForm,
    private readonly undescribed: ReflectionRequest[],
    /** The number of Anys that contain this message. */
    private readonly anyDepth: number,
  ) {}

  message(reflected: ReflectMessage): JsonValue {
    const { desc, message } = reflected
    if (this.types.missing.has(desc.typeName)) return rawJson(desc.typeName, toBinary(desc, message))
    if (desc.typeName === 'google.protobuf.Any') return this.any(message as Any)
    const unknown = reflected.getUnknown() ?? []
    if (!hasCustomJsonRepresentation(desc) || unknown.length > 0) return this.fields(reflected, unknown)
    try {
      return toJson(desc, message)
    } catch (error) {
      return { ...this.fields(reflected, []), '@note': (error as Error).message }
    }
  }

  private any(any: Any): JsonValue {
    const { typeUrl, value } = any
    if (typeUrl === '' && value.length === 0) return {}
    const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
    const desc = this.types.missing.has(name) ? undefined : this.types.getMessage(name)
    if (!desc) this.undescribed.push({ fileContainingSymbol: name })
    if (!desc || this.anyDepth === MAX_NESTED_ANYS) return rawJson(typeUrl, value)
    const inner = new Writer(this.types, this.form, this.undescribed, this.anyDepth + 1)
    try {
      const json = inner.message(reflect(desc, fromBinary(desc, value), false))
      const isSpecial = hasCustomJsonRepresentation(desc) || typeof json !== 'object' || json === null
      return isSpecial ? { '@type': typeUrl, value: json } : { '@type': typeUrl, ...json }
    } catch (error) {
      return { ...rawJson(typeUrl, value), '@note': (error as Error).message }
    }
  }

  private fields(reflected: ReflectMessage, unknown: readonly UnknownField[]): { [name: string]: JsonValue } {
    const { desc, message } = reflected
    const present = reflected.sortedFields.filter((field) => this.isWritten(field, message))
    const own = present.map((field) => [field.jsonName, this.field(field, reflected.get(field))] as const)
    const { extensions, rest } = this.extensionsOf(desc, unknown)
    const named = extensions.map((extension) => {
      return [extension.jsonName, this.extension(extension, message, unknown)] as const
    })
    const unset = reflected.fields.filter((field) => isRequired(field) && !isFieldSet(message, field))
    const names = unset.map(({ name }) => name).join(', ')
    return {
      // An assignment would not create a member for a field named `__proto__`.
      ...Object.fromEntries([...own, ...named]),
      ...(rest.length > 0 ? { '@unknown': unknownFields(rest) } : {}),
      ...(unset.length > 0 ? { '@note': `required and not set: ${names}` } : {}),
    }
  }

  private isWritten(field: DescField, message: Message): boolean {
    if (isFieldSet(message, field)) return true
    return this.form.emitsDefaults && field.presence === FeatureSet_FieldPresence.IMPLICIT
  }

  private field(field: DescField, value: unknown): JsonValue {
    if (field.fieldKind === 'list') {
      return [...(value as Iterable<unknown>)].map((element) => this.value(field, element))
    }
    if (field.fieldKind !== 'map') return this.value(field, value)
    const entries = [...(value as ReadonlyMap<unknown, unknown>)]
    return Object.fromEntries(entries.map(([key, member]) => [String(key), this.value(field, member)]))
  }

  private value(field: DescField | DescExtension, value: unknown): JsonValue {
    if (field.message) return this.message(value as ReflectMessage)
    if (field.enum) return enumJson(field.enum, value as number)
    if (value instanceof Uint8Array) return base64(value)
    if (typeof value === 'bigint') return String(value)
    const isFloat = field.scalar === ScalarType.DOUBLE || field.scalar === ScalarType.FLOAT
    // ProtoJSON has the same names for NaN, Infinity and -Infinity as JavaScript.
    return isFloat && !Number.isFinite(value) ? String(value) : (value as JsonValue)
  }

  private extensionsOf(desc: DescMessage, unknown: readonly UnknownField[]) {
    const numbers = [...new Set(unknown.map(({ no }) => no))]
    const extensions = numbers.flatMap((no) => this.types.getExtensionFor(desc, no) ?? [])
    const known = new Set(extensions.map(({ number }) => number))
    for (const extensionNumber of numbers) {
      const isExtension = desc.proto.extensionRange.some(
        ({ start, end }) => start <= extensionNumber && extensionNumber < end,
      )
      if (!isExtension || known.has(extensionNumber)) continue
      this.undescribed.push({ fileContainingExtension: { containingType: desc.typeName, extensionNumber } })
    }
    return { extensions, rest: unknown.filter(({ no }) => !known.has(no)) }
  }

  private extension(extension: DescExtension, message: Message, unknown: readonly UnknownField[]): JsonValue {
    try {
      const value: unknown = getExtension(message, extension)
      return Array.isArray(value)
        ? value.map((element) => this.extended(extension, element))
        : this.extended(extension, value)
    } catch (error) {
      const bytes = unknown.filter(({ no }) => no === extension.number)
      return { '@unknown': unknownFields(bytes), '@note': (error as Error).message }
    }
  }

  private extended(extension: DescExtension, value: unknown): JsonValue {
    const { message: desc } = extension
    if (!desc) return this.value(extension, value)
    if (isMessage(value, desc)) return this.message(reflect(desc, value, false))
    // protobuf-es represents a wrapper message by its value, and a Struct as JSON.
    return isWrapperDesc(desc) ? this.value(desc.fields[0], value) : (value as JsonValue)
  }
}

function isRequired({ presence }: DescField): boolean {
  return presence === FeatureSet_FieldPresence.LEGACY_REQUIRED
}

/** The name of an enum value; the number of a value that the enum does not define. */
function enumJson(desc: NonNullable<DescField['enum']>, value: number): JsonValue {
  if (desc.typeName === 'google.protobuf.NullValue') return null
  return desc.value[value]?.jsonName ?? value
}
