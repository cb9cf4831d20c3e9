/**
 * The names of the flags about etcd, without dashes. They are apart from the flags themselves, because completion and the
 * help of variables use them without oclif.
 */

/** Flags that select the etcd cluster, and the user there. */
export const CLUSTER_FLAGS = ['endpoints', 'cacert', 'cert', 'key', 'user', 'password-file'] as const

/** Limits of requests to etcd. */
export const TIMEOUT_FLAGS = ['dial-timeout', 'command-timeout'] as const

/** Flags that select the keys. */
export const PLACE_FLAGS = ['layout', 'root'] as const

/** Flags that select the registry: a cluster, and its keys. */
export const REGISTRY_FLAGS = ['context', ...CLUSTER_FLAGS, ...PLACE_FLAGS] as const
