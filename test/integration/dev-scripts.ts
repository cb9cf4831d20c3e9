import { bytes, call, type Step } from '../fuzz/steps.js'
import type { Message } from '../support/etcd-api.js'

export const put = (key: string, more: Message = {}) => ({ key: bytes(key), value: bytes('v'), ...more })
export const range = (key: string, more: Message = {}) => ({ key: bytes(key), ...more })
const settle: Step = { do: 'settle' }
const watch = (request: Message): Step => ({ do: 'watch', stream: 1, request })
export const FROM_KEY = bytes('\0')
const puts = (...keys: string[]) => keys.map((key) => call('KV/Put', put(key)))

/**
 * Where an implementation from the documentation alone would differ from etcd, and where ours once did: each
 * a script that both servers must answer alike. The servers are new for each script.
 */
export const scripts: Readonly<Record<string, readonly Step[]>> = {
  'operations inside a transaction have headers of their own; nested ones have empty ones': [
    ...puts('a', 'b'),
    call('KV/Txn', {
      success: [
        { request_range: range('a') },
        { request_put: put('a') },
        { request_range: range('a') },
        { request_txn: { success: [{ request_delete_range: range('b') }] } },
      ],
    }),
  ],
  'the previous pair of a watched event is the one of the revision before': [
    watch({ create_request: { ...range('a'), range_end: FROM_KEY, prev_kv: true } }),
    ...puts('a', 'a'),
    call('KV/DeleteRange', range('a')),
    settle,
  ],
  'the previous pair of a watched event is gone once it is compacted': [
    ...puts('a', 'a', 'a'),
    call('KV/Compact', { revision: '4', physical: true }),
    watch({ create_request: { ...range('a'), prev_kv: true, start_revision: '4' } }),
    settle,
  ],
  'a key that a transaction deletes and creates again has no previous pair': [
    watch({ create_request: { ...range('a'), range_end: FROM_KEY, prev_kv: true } }),
    ...puts('a'),
    call('KV/Txn', {
      success: [
        { request_delete_range: { key: bytes('a'), range_end: FROM_KEY } },
        { request_put: put('a') },
      ],
    }),
    settle,
  ],
  'a sort target without an order sorts what the limit has already cut': [
    ...puts('c', 'b', 'a', 'b'),
    call('KV/Range', { key: FROM_KEY, range_end: FROM_KEY, limit: '1', sort_target: 3 }),
    call('KV/Range', { key: FROM_KEY, range_end: FROM_KEY, limit: '1', sort_target: 3, sort_order: 2 }),
    call('KV/Range', {
      key: FROM_KEY,
      range_end: FROM_KEY,
      limit: '1',
      sort_target: 3,
      min_mod_revision: '1',
    }),
  ],
  'deleting from a key on does not clash with putting it; deleting that key does': [
    call('KV/Txn', {
      success: [
        { request_put: put('a') },
        { request_delete_range: { key: bytes('a'), range_end: FROM_KEY } },
      ],
    }),
    call('KV/Txn', { success: [{ request_put: put('a') }, { request_delete_range: range('a') }] }),
  ],
  'both branches of one nested transaction may put the same key; two transactions may not': [
    call('KV/Txn', {
      success: [
        { request_txn: { success: [{ request_put: put('a') }], failure: [{ request_put: put('a') }] } },
      ],
    }),
    call('KV/Txn', {
      success: [
        { request_txn: { success: [{ request_put: put('a') }] } },
        { request_txn: { failure: [{ request_put: put('a') }] } },
      ],
    }),
  ],
  'a nested deletion is held against later puts, not against earlier ones': [
    call('KV/Txn', {
      success: [
        { request_txn: { success: [{ request_put: put('a') }] } },
        { request_txn: { success: [{ request_delete_range: range('a') }] } },
      ],
    }),
    call('KV/Txn', {
      success: [
        { request_txn: { success: [{ request_delete_range: range('a') }] } },
        { request_txn: { success: [{ request_put: put('a') }] } },
      ],
    }),
  ],
  'a put looks for its lease first, a transaction for its key': [
    call('KV/Put', put('a', { lease: '9', ignore_value: true, value: '' })),
    call('KV/Txn', { success: [{ request_put: put('a', { lease: '9', ignore_value: true, value: '' }) }] }),
  ],
  'an empty watch range, and an id in use, are refused with watch id -1': [
    watch({ create_request: { key: bytes('b'), range_end: bytes('a') } }),
    watch({ create_request: { key: bytes('b'), range_end: bytes('b') } }),
    watch({ create_request: { key: bytes('b'), watch_id: '5' } }),
    watch({ create_request: { key: bytes('c'), watch_id: '5' } }),
    settle,
  ],
  'an explicitly empty range_end means "from the key on" to reads, and nothing to writes': [
    ...puts('a', 'b', 'c'),
    call('KV/Range', { key: bytes('b'), range_end: '' }),
    call('KV/Txn', { success: [{ request_range: { key: bytes('b'), range_end: '' } }] }),
    call('KV/Txn', {
      success: [{ request_range: { key: bytes('b'), range_end: '' } }, { request_put: put('d') }],
    }),
    call('KV/Txn', {
      compare: [{ key: bytes('b'), range_end: '', target: 0, result: 0, version: '1' }],
      success: [{ request_range: range('a') }],
    }),
    call('KV/DeleteRange', { key: bytes('b'), range_end: '', prev_kv: true }),
  ],
  'a range in a transaction may not name a negative revision once there was a compaction': [
    ...puts('a', 'a'),
    call('KV/Txn', { success: [{ request_range: range('a', { revision: '-1' }) }] }),
    call('KV/Txn', { success: [{ request_range: range('a', { revision: '-2' }) }] }),
    call('KV/Compact', { revision: '2', physical: true }),
    call('KV/Txn', { success: [{ request_range: range('a', { revision: '-1' }) }] }),
    call('KV/Range', range('a', { revision: '-1' })),
  ],
  'compaction: the first may be at 0, none may repeat, and its own revision stays readable': [
    ...puts('a', 'a', 'b'),
    call('KV/Compact', { revision: '-1' }),
    call('KV/Compact', { revision: '0' }),
    call('KV/Compact', { revision: '0' }),
    call('KV/Compact', { revision: '9' }),
    call('KV/Compact', { revision: '3', physical: true }),
    call('KV/Compact', { revision: '2', physical: true }),
    call('KV/Range', range('a', { revision: '3' })),
    call('KV/Range', range('a', { revision: '2' })),
  ],
  'what happened at the compaction revision is still watched; what happened before is refused': [
    ...puts('a', 'b'),
    call('KV/Txn', { success: [{ request_delete_range: range('a') }, { request_put: put('b') }] }),
    call('KV/Compact', { revision: '4', physical: true }),
    settle,
    watch({ create_request: { ...range('a'), range_end: FROM_KEY, start_revision: '3' } }),
    watch({ create_request: { ...range('a'), range_end: FROM_KEY, start_revision: '4' } }),
    settle,
    watch({ cancel_request: { watch_id: '0' } }),
    watch({ cancel_request: { watch_id: '0' } }),
    settle,
  ],
  'progress is reported only while every watcher of the stream is synced': [
    ...puts('a'),
    watch({ create_request: range('b') }),
    settle,
    watch({ progress_request: {} }),
    settle,
    watch({ create_request: { ...range('a'), start_revision: '9' } }),
    watch({ progress_request: {} }),
    ...puts('a', 'a', 'a'),
    settle,
    watch({ progress_request: {} }),
    ...puts('a', 'a', 'a'),
    settle,
    watch({ progress_request: {} }),
    call('KV/Compact', { revision: '5', physical: true }),
    watch({ create_request: { ...range('a'), start_revision: '2', watch_id: '7' } }),
    settle,
    watch({ progress_request: {} }),
    settle,
    watch({ cancel_request: { watch_id: '7' } }),
    watch({ progress_request: {} }),
    settle,
  ],
  'watchers of the future, and of before the beginning': [
    ...puts('a'),
    watch({ create_request: { ...range('a'), start_revision: '5' } }),
    watch({ create_request: { ...range('a'), start_revision: '-3' } }),
    settle,
    ...puts('a', 'a', 'a'),
    settle,
  ],
  'a watcher without a key watches the smallest key; `\\0` as range_end, all': [
    watch({ create_request: {} }),
    watch({ create_request: { range_end: FROM_KEY } }),
    ...puts('\0', 'a', '\xff'),
    settle,
  ],
  'filters leave nothing behind, and apply together': [
    watch({ create_request: { ...range('a'), filters: [0] } }),
    watch({ create_request: { ...range('a'), filters: [1] } }),
    watch({ create_request: { ...range('a'), filters: [0, 1] } }),
    ...puts('a'),
    call('KV/DeleteRange', range('a')),
    settle,
  ],
  'leases: ids are taken as they come, TTLs have bounds, and a put moves its key': [
    call('Lease/LeaseGrant', { ID: '7', TTL: '1000' }),
    call('Lease/LeaseGrant', { ID: '7', TTL: '1000' }),
    call('Lease/LeaseGrant', { ID: '7', TTL: '9000000001' }),
    call('Lease/LeaseGrant', { ID: '-8', TTL: '2000' }),
    call('KV/Put', put('a', { lease: '7' })),
    call('KV/Put', put('b', { lease: '7' })),
    call('KV/Put', put('a', { lease: '-8', prev_kv: true })),
    call('Lease/LeaseTimeToLive', { ID: '7', keys: true }),
    call('Lease/LeaseLeases', {}),
    { do: 'keepAlive', id: '7' },
    { do: 'keepAlive', id: '9' },
    call('Lease/LeaseRevoke', { ID: '7' }),
    call('Lease/LeaseRevoke', { ID: '7' }),
    call('Lease/LeaseTimeToLive', { ID: '7', keys: true }),
    call('KV/Range', { key: FROM_KEY, range_end: FROM_KEY }),
  ],
  'a lease shorter than the minimum is granted the minimum': [
    call('Lease/LeaseGrant', { ID: '7', TTL: '0' }),
    call('Lease/LeaseGrant', { ID: '8', TTL: '-5' }),
    call('Lease/LeaseRevoke', { ID: '7' }),
    call('Lease/LeaseRevoke', { ID: '8' }),
  ],
  'revoking deletes the keys in order and in one revision': [
    watch({ create_request: { ...range('a'), range_end: FROM_KEY } }),
    call('Lease/LeaseGrant', { ID: '7', TTL: '1000' }),
    ...['c', 'a', 'b'].map((key) => call('KV/Put', put(key, { lease: '7' }))),
    call('Lease/LeaseRevoke', { ID: '7' }),
    settle,
  ],
  'requests without keys, with too many operations, or with both a value and "keep the value"': [
    call('KV/Range', {}),
    call('KV/Put', {}),
    call('KV/DeleteRange', {}),
    call('KV/Put', put('a', { ignore_value: true })),
    call('KV/Put', put('a', { ignore_lease: true, lease: '1' })),
    call('KV/Txn', { success: [{}] }),
    call('KV/Txn', { compare: [{ target: 0 }] }),
    call('KV/Txn', { success: Array.from({ length: 129 }, () => ({ request_range: range('a') })) }),
    call('KV/Txn', {
      success: [
        ...Array.from({ length: 126 }, () => ({ request_range: range('a') })),
        { request_txn: { failure: Array.from({ length: 2 }, () => ({ request_range: range('a') })) } },
      ],
    }),
  ],
  'requests that are too large for the log, and for the wire': [
    call('KV/Put', put('a', { value: bytes('x'.repeat(1024 * 1024)) })),
    call('KV/Put', put('a', { value: bytes('x'.repeat(1536 * 1024 - 40)) })),
    call('KV/Put', put('a', { value: bytes('x'.repeat(1536 * 1024)) })),
    call('KV/Put', put('a', { value: bytes('x'.repeat(2048 * 1024 - 20)) })),
    call('KV/Put', put('a', { value: bytes('x'.repeat(2048 * 1024)) })),
  ],
  'a comparison whose operand does not fit its target compares with nothing': [
    ...puts('a'),
    ...[0, 1, 2, 3, 4].map((target) =>
      call('KV/Txn', { compare: [{ key: bytes('a'), target, result: 1, mod_revision: '9' }] }),
    ),
    call('KV/Txn', { compare: [{ key: bytes('b'), target: 3, result: 3, value: bytes('x') }] }),
  ],
  'users and roles, while authentication is disabled': [
    call('Auth/Authenticate', { name: 'root', password: 'x' }),
    call('Auth/AuthEnable', {}),
    call('Auth/AuthDisable', {}),
    call('Auth/UserList', {}),
    call('Auth/RoleList', {}),
    call('Maintenance/Alarm', {}),
  ],
}
