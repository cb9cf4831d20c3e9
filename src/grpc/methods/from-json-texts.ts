/**
 * The error texts of protobuf-es, which has no codes for them: `from-json.ts` of @bufbuild/protobuf 2. Only this file
 * reads them; its unit test makes them with the installed version.
 */

const ENUM_VALUE = /cannot decode enum ([\w.]+) from JSON: "?(.*?)"?$/

const UNKNOWN_KEY = /cannot decode message ([\w.]+) from JSON: key "([^"]*)" is unknown/

/** The enum and the unknown value; null for other errors. */
export function unknownEnumValue(text: string): { readonly enumName: string; readonly value: string } | null {
  const [, enumName, value] = ENUM_VALUE.exec(text) ?? []
  return enumName === undefined || value === undefined ? null : { enumName, value }
}

/** The message, possibly nested, and the unknown key; null for other errors. */
export function unknownKey(text: string): { readonly typeName: string; readonly key: string } | null {
  const [, typeName, key] = UNKNOWN_KEY.exec(text) ?? []
  return typeName === undefined || key === undefined ? null : { typeName, key }
}

/** The text without the name of the outermost message. */
export function withoutMessageName(text: string, typeName: string): string {
  return text.replace(decodingError(`message ${typeName}`, ''), '')
}

/** @param holder the expected element, such as `message hello.Request` or `field hello.Request.name` */
export function decodingError(holder: string, reason: string): string {
  return `cannot decode ${holder} from JSON: ${reason}`
}
