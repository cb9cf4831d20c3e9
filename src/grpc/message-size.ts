/** What grpc-js takes of a server without an option: 4 MiB a message. */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 2 ** 20

/** Descriptions of large APIs take several MB. */
const REFLECTION_BYTES = 64 * 2 ** 20

/**
 * The limit of a channel. grpc-js has no limit of a single call: the channel takes what reflection may need, and calls
 * refuse what is above their own.
 *
 * @param maxMessageBytes the limit of its calls
 */
export function channelLimit(maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES): number {
  return Math.max(maxMessageBytes, REFLECTION_BYTES)
}

/** The details of a call whose reply is too large, as grpc-js has them, with the remedy. */
export function oversized(bytes: number, maxMessageBytes: number): string {
  return withRemedy(`Received message larger than max (${bytes} vs ${maxMessageBytes})`)
}

export function withRemedy(details: string): string {
  return `${details}; --max-message-size raises the limit`
}
