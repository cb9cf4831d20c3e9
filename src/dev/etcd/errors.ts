/** The gRPC status codes that etcd answers with (gRPC core concepts, "Status codes"). */
export const Code = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const

export type Code = (typeof Code)[keyof typeof Code]

/** A refusal that the client receives as a gRPC status: its code, and its text as the status message. */
export class RpcError extends Error {
  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message)
  }

  /** Converts anything thrown; a value other than a refusal is a bug, and becomes INTERNAL. */
  static from(thrown: unknown): RpcError {
    if (thrown instanceof RpcError) return thrown
    return new RpcError(Code.INTERNAL, thrown instanceof Error ? thrown.message : String(thrown))
  }
}

/** etcd's own refusals, with the codes and texts that clients match (etcd API v3.5, rpctypes). */
export const refusals = {
  emptyKey: () => invalid('key is not provided'),
  keyNotFound: () => invalid('key not found'),
  valueProvided: () => invalid('value is provided'),
  leaseProvided: () => invalid('lease is provided'),
  tooManyOps: () => invalid('too many operations in txn request'),
  duplicateKey: () => invalid('duplicate key given in txn request'),
  requestTooLarge: () => invalid('request is too large'),
  compacted: () => new RpcError(Code.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'),
  futureRevision: () =>
    new RpcError(Code.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'),
  leaseNotFound: () => new RpcError(Code.NOT_FOUND, 'etcdserver: requested lease not found'),
  leaseExists: () => new RpcError(Code.FAILED_PRECONDITION, 'etcdserver: lease already exists'),
  leaseTtlTooLarge: () => new RpcError(Code.OUT_OF_RANGE, 'etcdserver: too large lease TTL'),
  authNotEnabled: () => new RpcError(Code.FAILED_PRECONDITION, 'etcdserver: authentication is not enabled'),
  rootUserNotExist: () => new RpcError(Code.FAILED_PRECONDITION, 'etcdserver: root user does not exist'),
}

function invalid(text: string): RpcError {
  return new RpcError(Code.INVALID_ARGUMENT, `etcdserver: ${text}`)
}
