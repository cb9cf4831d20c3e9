import { fromBinary, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { losslessJson, type ReplyForm, rawJson } from './lossless-json.js'
import type { ReflectionQuestion } from './reflection-protocol.js'
import type { Types } from './types.js'

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
