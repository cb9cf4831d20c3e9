import { Metadata } from '@grpc/grpc-js'

/** The codes of gRPC statuses, for folders that must not import grpc-js. */
export { status } from '@grpc/grpc-js'

/** Headers of a request. Names may repeat; the values of names that end in `-bin` are base64. */
export type Headers = readonly (readonly [name: string, value: string])[]

export function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of headers) {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
  }
  return metadata
}

/** grpc-js's default limit for a received message: 4 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 2 ** 20

/** Descriptions of large APIs take several MB. */
const REFLECTION_BYTES = 64 * 2 ** 20

/**
 * The limit of a channel. grpc-js has no limit per call: the channel allows what reflection may need, and calls
 * refuse what exceeds their own limit.
 *
 * @param maxMessageBytes the limit of its calls
 */
export function channelLimit(maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES): number {
  return Math.max(maxMessageBytes, REFLECTION_BYTES)
}

/** The details of a call with a reply that is too large, in grpc-js's words, with the remedy. */
export function oversized(bytes: number, maxMessageBytes: number): string {
  return withRemedy(`Received message larger than max (${bytes} vs ${maxMessageBytes})`)
}

export function withRemedy(details: string): string {
  return `${details}; --max-message-size raises the limit`
}
