import type { DescMessage } from '@bufbuild/protobuf'
import { didYouMean } from '../../domain/nearest.js'
import { unknownEnumValue, unknownKey } from './from-json-texts.js'
import { whyMissing } from './missing-types.js'
import type { Types } from './types.js'

/**
 * Suggestions for JSON that `fromJson` refuses. For an unknown key: the fields of the message. For an unknown enum
 * value: the values of the enum. Empty for other errors.
 *
 * @param message the error text of `fromJson`, the only source of the name of the message or enum
 * @param input the request message of the method
 * @param remedy the remedy for a missing file, as a sentence
 */
export function jsonRemedies(message: string, input: DescMessage, registry: Types, remedy: string): string[] {
  const unknownValue = unknownEnumValue(message)
  const enumeration = unknownValue && registry.getEnum(unknownValue.enumName)
  if (enumeration) {
    const { enumName, value } = unknownValue
    const names = enumeration.values.map(({ name }) => name)
    return [...didYouMean(value, names), `Values of ${enumName}: ${names.join(', ')}`]
  }
  const unknownField = unknownKey(message)
  if (!unknownField) return []
  const { typeName, key } = unknownField
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
