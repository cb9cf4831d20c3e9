/** The codes of gRPC statuses, for folders that do without grpc-js. */
export { status } from '@grpc/grpc-js'
