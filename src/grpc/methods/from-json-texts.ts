/**
 * Parses the error texts of `fromJson` in protobuf-es, which has no error codes (`from-json.ts` of @bufbuild/protobuf
 * 2). No other file may parse these texts. The unit test produces them with the installed version of protobuf-es.
 */

const ENUM_VALUE = /cannot decode enum ([\w.]+) from JSON: "?(.*?)"?$/

const UNKNOWN_KEY = /cannot decode message ([\w.]+) from JSON: key "([^"]*)" is unknown/

/** The enum, and the value that it does not have; null for other errors. */
export function unknownEnumValue(text: string): { readonly enumName: string; readonly value: string } | null {
  const [, enumName, value] = ENUM_VALUE.exec(text) ?? []
  return enumName === undefined || value === undefined ? null : { enumName, value }
}

/** The message, possibly nested, and the key that is not one of its fields; null for other errors. */
export function unknownKey(text: string): { readonly typeName: string; readonly key: string } | null {
  const [, typeName, key] = UNKNOWN_KEY.exec(text) ?? []
  return typeName === undefined || key === undefined ? null : { typeName, key }
}

/** Removes the prefix that names the message `typeName`. */
export function withoutMessageName(text: string, typeName: string): string {
  return text.replace(decodingError(`message ${typeName}`, ''), '')
}

/**
 * An error text in the form that protobuf-es uses.
 *
 * @param holder the element that cannot be decoded, such as `message hello.Request` or `field hello.Request.name`
 */
export function decodingError(holder: string, reason: string): string {
  return `cannot decode ${holder} from JSON: ${reason}`
}
