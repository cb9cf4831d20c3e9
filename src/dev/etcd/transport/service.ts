/** Answers one request message; the response is framed (`Writer.frame()`). May throw RpcError. */
export type UnaryMethod = (request: Buffer) => Buffer

/** The server side of an open stream. */
export interface ServerStream {
  /** Sends one or more framed messages, as one write. */
  send(frames: Buffer): void
  /** Ends the stream with status OK. */
  end(): void
  /** Whether the backlog is so long that further messages should wait; `drained` is called when it is gone. */
  readonly congested: boolean
}

/** The handler of a stream. None of its functions is called after `closed`. */
export interface StreamHandler {
  /** Receives one request message. May throw RpcError, which ends the stream with that status. */
  message(request: Buffer): void
  /** The client has closed its sending half, and may still receive. */
  halfClosed(): void
  /** The backlog has been sent. */
  drained(): void
  /** The stream has ended, by either side. */
  closed(): void
}

export type StreamMethod = (stream: ServerStream) => StreamHandler

/** Methods by their full names, such as `/etcdserverpb.KV/Range`. */
export interface Methods {
  readonly unary: Readonly<Record<string, UnaryMethod>>
  readonly streams: Readonly<Record<string, StreamMethod>>
}
