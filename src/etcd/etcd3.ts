/**
 * The parts of etcd3 that are used; its own client and recipes are not. In the built library this one module is
 * replaced by etcd3's code itself (`build/library.js`), so that programs can be bundled: etcd3 reads a .proto file by
 * its path.
 */
export { ConnectionPool } from 'etcd3/lib/connection-pool.js'
export {
  ClientClosedError,
  castGrpcError,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCDeadlineExceededError,
  GRPCGenericError,
  GRPCResourceExhastedError,
  isRecoverableError,
} from 'etcd3/lib/errors.js'
export { ClusterClient, KVClient, LeaseClient, MaintenanceClient, WatchClient } from 'etcd3/lib/rpc.js'
