import type { DescMessage } from '@bufbuild/protobuf'
import { didYouMean } from '../../domain/nearest.js'
import { unknownEnumValue, unknownKey } from './from-json-texts.js'
import { whyMissing } from './missing-types.js'
import type { Types } from './types.js'

/**
 * Suggestions for JSON that is not a message of `input`: the fields of the message without the key, or the values of
 * the enum without the value. Empty for other mistakes, which the error itself explains.
 *
 * @param message the text of `fromJson`'s error, the only source of the type's name; the type may be nested
 */
export function jsonRemedies(message: string, input: DescMessage, registry: Types, remedy: string): string[] {
  const wrong = unknownEnumValue(message)
  const enumeration = wrong && registry.getEnum(wrong.enumName)
  if (enumeration) {
    const names = enumeration.values.map(({ name }) => name)
    return [...didYouMean(wrong.value, names), `Values of ${wrong.enumName}: ${names.join(', ')}`]
  }
  const unknown = unknownKey(message)
  if (!unknown) return []
  const { typeName, key } = unknown
  const missing = registry.missing.get(typeName)
  if (missing) return [whyMissing(missing), remedy]
  const holder = registry.getMessage(typeName) ?? input
  const names = holder.fields.map(({ jsonName }) => jsonName)
  const whose = holder === input ? 'Its fields' : `Fields of ${holder.typeName}`
  return [
    ...didYouMean(key, names),
    names.length === 0 ? `${holder.typeName} has no fields: -d '{}'` : `${whose}: ${names.join(', ')}`,
  ]
}
