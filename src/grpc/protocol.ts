import { Metadata } from '@grpc/grpc-js'

/** The gRPC status codes, for folders that must not import grpc-js. */
export { status } from '@grpc/grpc-js'

/** Headers of a request. A name may occur several times. The values of names that end in `-bin` are base64. */
export type Headers = readonly (readonly [name: string, value: string])[]

/** Converts headers to metadata, and decodes the base64 values of names that end in `-bin`. */
export function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of headers) {
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
  }
  return metadata
}

/** grpc-js's default limit for a received message: 4 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 2 ** 20

/** Limit for the responses of server reflection: the file descriptors of a large API take several MB. */
const REFLECTION_BYTES = 64 * 2 ** 20

/**
 * The limit in bytes for messages that a channel receives. grpc-js has a limit per channel, but not per call. The
 * channel's limit therefore allows for reflection, and each call refuses a reply above its own limit.
 *
 * @param maxMessageBytes the limit of the calls of the channel
 */
export function channelLimit(maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES): number {
  return Math.max(maxMessageBytes, REFLECTION_BYTES)
}

/**
 * The status details of a call whose reply is too large: the text that grpc-js uses, with the remedy.
 *
 * @param bytes the size of the reply
 */
export function oversized(bytes: number, maxMessageBytes: number): string {
  return withRemedy(`Received message larger than max (${bytes} vs ${maxMessageBytes})`)
}

export function withRemedy(details: string): string {
  return `${details}; --max-message-size raises the limit`
}
