import { fromBinary, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { losslessJson, type ReplyForm, rawJson } from './lossless-json.js'
import type { Types } from './types.js'

const STATUS = 'google.rpc.Status'

/**
 * The details of a google.rpc.Status, each with its `@type`. Google's own types are built in; one that has not been
 * described is shown as its bytes, as is what is not a Status.
 */
export function errorDetails(bytes: Uint8Array, types: Types, form: ReplyForm): readonly JsonValue[] {
  const status = types.getMessage(STATUS)
  try {
    if (!status) return [rawJson(STATUS, bytes)]
    const { details } = losslessJson(status, fromBinary(status, bytes), types, form) as JsonObject
    return Array.isArray(details) ? details : []
  } catch (error) {
    return [{ ...rawJson(STATUS, bytes), '@note': (error as Error).message }]
  }
}
