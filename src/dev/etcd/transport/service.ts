/** Answers one request message; the response comes framed (`Writer.frame()`). May throw RpcError. */
export type UnaryMethod = (request: Buffer) => Buffer

/** The server's end of one open stream. */
export interface ServerStream {
  /** Sends one or more framed messages, as one write. */
  send(frames: Buffer): void
  /** Ends the stream with status OK. */
  end(): void
  /** Whether so much waits to be sent that more should wait too; `drained` is called when it has gone. */
  readonly congested: boolean
}

/** What a streaming method makes of its stream. None of its functions is called after `closed`. */
export interface StreamHandler {
  /** One request message. May throw RpcError, which ends the stream with that status. */
  message(request: Buffer): void
  /** The client will send no more, and may still listen. */
  halfClosed(): void
  /** What waited has been sent. */
  drained(): void
  /** The stream is gone, whoever ended it. */
  closed(): void
}

export type StreamMethod = (stream: ServerStream) => StreamHandler

/** Methods by their full names, such as `/etcdserverpb.KV/Range`. */
export interface Methods {
  readonly unary: Readonly<Record<string, UnaryMethod>>
  readonly streams: Readonly<Record<string, StreamMethod>>
}
