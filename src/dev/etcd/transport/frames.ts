import { Code, RpcError } from '../errors.js'
import { PREFIX_BYTES } from '../wire/writer.js'

/** etcd's limit for received messages: --max-request-bytes (1.5 MiB) and 512 KiB for gRPC's own overhead. */
export const MAX_RECEIVE_BYTES = 2 * 1024 * 1024

/** Cuts a stream of bytes into gRPC messages (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export class FrameReader {
  /** Chunks of an incomplete message; joined when its prefix is complete, and again when all of it is. */
  private parts: Buffer[] = []
  private have = 0
  private need = PREFIX_BYTES

  /**
   * @returns the completed messages, as views
   * @throws RpcError for a message that is too large, or compressed: the server does not offer compression
   */
  push(chunk: Buffer): Buffer[] {
    this.parts.push(chunk)
    this.have += chunk.length
    if (this.have < this.need) return []

    let rest = this.parts.length === 1 ? chunk : Buffer.concat(this.parts)
    const messages: Buffer[] = []
    for (;;) {
      this.need = PREFIX_BYTES + bodyLength(rest)
      if (rest.length < this.need) break
      messages.push(rest.subarray(PREFIX_BYTES, this.need))
      rest = rest.subarray(this.need)
    }
    this.parts = rest.length === 0 ? [] : [rest]
    this.have = rest.length
    return messages
  }
}

/** The length announced by a prefix; 0 while the prefix itself is incomplete. */
function bodyLength(bytes: Buffer): number {
  if (bytes.length < PREFIX_BYTES) return 0
  if (bytes[0] !== 0) throw new RpcError(Code.UNIMPLEMENTED, 'grpc: compressed messages are not supported')
  const length = bytes.readUInt32BE(1)
  if (length > MAX_RECEIVE_BYTES) {
    const text = `grpc: received message larger than max (${length} vs. ${MAX_RECEIVE_BYTES})`
    throw new RpcError(Code.RESOURCE_EXHAUSTED, text)
  }
  return length
}
