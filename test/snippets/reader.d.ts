// What a reader of the docs has already, and their snippets leave out.
import type { Server, ServiceClientConstructor } from '@grpc/grpc-js'

declare global {
  /** The client of the reader's service, as made by @grpc/proto-loader. */
  const Greeter: ServiceClientConstructor
  /** The reader's server. */
  const server: Server
}
