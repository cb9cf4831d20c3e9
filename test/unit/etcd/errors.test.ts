import {
  GRPCDeadlineExceededError,
  type GRPCGenericError,
  GRPCInternalError,
  GRPCInvalidArgumentError,
  GRPCUnavailableError,
} from 'etcd3'
import { expect, test } from 'vitest'
import { mayHaveArrived } from '../../../src/etcd/errors.js'

const killedBy = (cause: string) =>
  new GRPCInternalError(
    `13 INTERNAL: Received RST_STREAM with code 2 triggered by internal client error: ${cause}`,
  )
const unconnected = (cause: string) =>
  new GRPCUnavailableError(
    `14 UNAVAILABLE: No connection established. Last error: ${cause}. Resolution note: `,
  )

test.each<[boolean, GRPCGenericError]>([
  [true, killedBy('read EHOSTUNREACH')],
  [true, killedBy('read ENETUNREACH')],
  [true, killedBy('read ECONNRESET')],
  [true, new GRPCUnavailableError('14 UNAVAILABLE: Connection dropped')],
  [true, new GRPCDeadlineExceededError('4 DEADLINE_EXCEEDED: Deadline exceeded after 0.5s')],
  [true, new GRPCUnavailableError('14 UNAVAILABLE: etcdserver: request timed out')],
  [false, unconnected('connect ECONNREFUSED 127.0.0.1:2379')],
  [false, unconnected('connect EHOSTUNREACH 10.0.0.1:2379')],
  [
    false,
    new GRPCUnavailableError('14 UNAVAILABLE: Name resolution failed for target dns:no.such.host:2379'),
  ],
  [false, new GRPCUnavailableError('14 UNAVAILABLE: etcdserver: no leader')],
  [false, new GRPCInvalidArgumentError('3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request')],
])('a write may have arrived: %s, where it failed with: %s', (isPossible, error) => {
  expect(mayHaveArrived(error)).toBe(isPossible)
})
