import { expect, test } from 'vitest'
import { etcdFault, isFromEtcd } from '../../../src/etcd/error-texts.js'
import { translate } from '../../../src/etcd/errors.js'
import { isOutOfHistory } from '../../../src/etcd/range.js'

const LINK = { endpoints: ['http://127.0.0.1:2379'], endpointsSource: '--endpoints' }

test.each([
  ['3 INVALID_ARGUMENT: etcdserver: user name is empty', 'user-empty'],
  ['3 INVALID_ARGUMENT: etcdserver: revision of auth store is old', 'auth-old-revision'],
  ['9 FAILED_PRECONDITION: etcdserver: authentication is not enabled', 'auth-not-enabled'],
  ['2 UNKNOWN: auth: authentication is not enabled', 'auth-not-enabled'],
  ['8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded', 'no-space'],
  ['14 UNAVAILABLE: etcdserver: leader changed', 'leader-changed'],
  ['14 UNAVAILABLE: etcdserver: request timed out, possibly due to connection lost', 'timed-out'],
  ['5 NOT_FOUND: etcdserver: requested lease not found', null],
])('the fault in %j is %s', (text, fault) => {
  expect(etcdFault(text)).toBe(fault)
})

test('an etcd response is not a connection failure', () => {
  expect(isFromEtcd('14 UNAVAILABLE: etcdserver: no leader')).toBe(true)
  expect(isFromEtcd('14 UNAVAILABLE: Connection dropped')).toBe(false)
})

test.each([
  ['etcdserver: mvcc: required revision has been compacted', true],
  ['etcdserver: mvcc: required revision is a future revision', true],
  ['etcdserver: mvcc: database space exceeded', false],
])('a revision is out of the history where etcd says %j: %s', (details, isOut) => {
  const error = Object.assign(new Error(`11 OUT_OF_RANGE: ${details}`), { code: 11, details })
  expect(isOutOfHistory(translate(error, LINK))).toBe(isOut)
})
