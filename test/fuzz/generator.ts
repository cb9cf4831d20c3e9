import type { Message } from '../support/etcd-api.js'
import type { Rng } from './rng.js'
import { bytes, call, type Step } from './steps.js'

/** The generator’s knowledge of the store, so that its operations refer to existing keys and revisions. */
export interface Known {
  revision: number
  compactRevision: number
  /** The last revision at which a key was deleted. A compaction at that revision leaves no tombstone. */
  deletionRevision: number
  /** Revisions of transactions that may have deleted a key and put it again. */
  readonly rewriteRevisions: Set<number>
}

/**
 * A few letters give few different keys, so that operations often affect the same key. The smallest and the largest
 * byte cover the edges.
 */
const LETTERS = ['a', 'b', 'c', 'd', '\0', '\xff'] as const

/** Small ids, one above 2^53, and a negative one. */
const LEASE_IDS = ['1', '2', '3', '4', '5', '7', '1234567890123456789', '-7'] as const

/** A large unit: no lease may expire during a script, and distant TTLs make the order of expiry deterministic. */
const TTL_UNIT_SECONDS = 1000

/** Random operations over every option of etcd's KV and Lease services. */
export class Generator {
  /** Weight of deletions relative to puts. With few deletions, a store has many long-lived keys. */
  private readonly deletionWeight: number

  constructor(
    private readonly rng: Rng,
    private readonly known: Known,
  ) {
    this.deletionWeight = rng.pick([8, 2, 0.1])
  }

  operation(): Step {
    const { rng } = this
    return rng.weighted<() => Step>([
      [30, () => call('KV/Put', this.put())],
      [30, () => call('KV/Range', this.range())],
      [this.deletionWeight, () => call('KV/DeleteRange', this.deletion())],
      [18, () => call('KV/Txn', survivable(this.txn(0)))],
      [3, () => call('Lease/LeaseGrant', { ID: this.leaseId(), TTL: this.ttl() })],
      [2, () => call('Lease/LeaseRevoke', { ID: this.leaseId() })],
      [4, () => call('Lease/LeaseTimeToLive', { ID: this.leaseId(), keys: rng.chance(0.7) })],
      [2, () => call('Lease/LeaseLeases', {})],
      [2, () => ({ do: 'keepAlive', id: this.leaseId() })],
    ])()
  }

  compaction(): Step {
    const { rng, known } = this
    let revision = rng.weighted([
      [4, known.revision - rng.int(0, 60)],
      [1, known.revision + rng.int(0, 2)],
      [1, known.compactRevision - rng.int(-1, 3)],
      [3, known.deletionRevision],
    ])
    // Compacting such a revision makes etcd 3.5 panic, after which it does not start again.
    while (known.rewriteRevisions.has(revision)) revision -= 1
    return call('KV/Compact', { revision: String(revision), physical: true })
  }

  watchers(streams: number): Step[] {
    const { rng } = this
    const send = (request: Message): Step => ({ do: 'watch', stream: rng.int(1, streams), request })
    // Cancellations come first. A watcher of past revisions that is cancelled right after its creation may or may not
    // receive events.
    const cancels = rng.list(0, 3, () => send({ cancel_request: { watch_id: String(rng.int(-1, 12)) } }))
    const creations = rng.list(0, 8, () => send({ create_request: this.watchCreation() }))
    return [...cancels, ...creations]
  }

  /**
   * Progress requests, each with at most one answer. The answer is deterministic only if all due events were delivered
   * before.
   */
  progress(streams: number): Step[] {
    const { rng } = this
    return rng.list(0, 2, () => ({
      do: 'watch',
      stream: rng.int(1, streams),
      request: { progress_request: {} },
    }))
  }

  private watchCreation(): Message {
    const { rng, known } = this
    const start = rng.weighted([
      [4, 0],
      [4, known.revision - rng.int(0, 80)],
      [2, known.revision + rng.int(1, 4)],
      // So far ahead that the revision is not reached when progress is requested.
      [0.3, known.revision + rng.int(200, 600)],
      [3, known.compactRevision + rng.int(-1, 1)],
      [0.3, -rng.int(1, 9)],
    ])
    return {
      ...this.keys(),
      start_revision: String(start),
      progress_notify: rng.chance(0.2),
      filters: rng.weighted([
        [6, []],
        [1, [0]],
        [1, [1]],
        [1, [0, 1]],
      ]),
      prev_kv: rng.chance(0.5),
      watch_id: String(
        rng.weighted([
          [5, 0],
          [2, rng.int(1, 12)],
        ]),
      ),
      fragment: rng.chance(0.3),
    }
  }

  private txn(depth: number): Message {
    const { rng } = this
    const reads = rng.chance(0.2)
    const op = () => (reads ? { request_range: this.range() } : this.op(depth))
    const ops = () => rng.list(0, rng.chance(0.01) ? 130 : 5, op)
    return { compare: rng.list(0, 3, () => this.comparison()), success: ops(), failure: ops() }
  }

  private op(depth: number): Message {
    return this.rng.weighted<() => Message>([
      [5, () => ({ request_put: this.put() })],
      [4, () => ({ request_range: this.range() })],
      [this.deletionWeight / 4, () => ({ request_delete_range: this.deletion() })],
      [depth < 3 ? 2 : 0, () => ({ request_txn: this.txn(depth + 1) })],
      [0.1, () => ({})],
    ])()
  }

  private comparison(): Message {
    const { rng } = this
    const operand = rng.weighted<Message>([
      [3, { version: String(rng.int(-1, 3)) }],
      [3, { create_revision: this.nearRevision() }],
      [3, { mod_revision: this.nearRevision() }],
      [3, { value: this.value() }],
      [2, { lease: this.leaseId() }],
      [0.5, {}],
    ])
    return { result: rng.int(0, 3), target: rng.int(0, 4), ...this.keys(), ...operand }
  }

  private range(): Message {
    const { rng } = this
    const bound = () => (rng.chance(0.06) ? this.nearRevision() : '0')
    return {
      ...this.keys(),
      limit: String(
        rng.weighted([
          [6, 0],
          [3, rng.int(1, 6)],
          [1, 15],
          [0.2, -1],
        ]),
      ),
      revision: rng.chance(0.3) ? this.nearRevision() : '0',
      sort_order: rng.weighted([
        [5, 0],
        [1, 1],
        [1, 2],
      ]),
      sort_target: rng.weighted([
        [5, 0],
        [1, rng.int(1, 4)],
      ]),
      serializable: rng.chance(0.3),
      keys_only: rng.chance(0.1),
      count_only: rng.chance(0.1),
      min_mod_revision: bound(),
      max_mod_revision: bound(),
      min_create_revision: bound(),
      max_create_revision: bound(),
    }
  }

  private put(): Message {
    const { rng } = this
    return {
      key: bytes(this.key()),
      value: this.value(),
      lease: rng.chance(0.25) ? this.leaseId() : '0',
      prev_kv: rng.chance(0.3),
      ignore_value: rng.chance(0.05),
      ignore_lease: rng.chance(0.05),
    }
  }

  private deletion(): Message {
    return { ...this.keys(), prev_kv: this.rng.chance(0.5) }
  }

  /** A single key, a range (possibly empty), a prefix, all keys from one on, or an explicitly empty range_end. */
  private keys(): Message {
    const { rng } = this
    const key = this.key()
    return rng.weighted<() => Message>([
      [8, () => ({ key: bytes(key) })],
      [4, () => ({ key: bytes(key), range_end: bytes(this.key()) })],
      [2, () => ({ key: bytes('a'), range_end: bytes('c') })],
      [1, () => ({ key: bytes(key), range_end: bytes('\0') })],
      [1, () => ({ key: bytes('\0'), range_end: bytes('\0') })],
      [1.5, () => ({ key: bytes(key), range_end: '' })],
      [0.1, () => ({ key: '', range_end: bytes(key) })],
    ])()
  }

  private key(): string {
    if (this.rng.chance(0.005)) return ''
    return this.rng.list(1, this.rng.chance(0.3) ? 3 : 1, () => this.rng.pick(LETTERS)).join('')
  }

  private value(): string {
    const { rng } = this
    const length = rng.weighted([
      [2, 0],
      [10, rng.int(1, 4)],
      [0.1, 5000],
    ])
    return bytes(rng.pick(['x', 'y', '\xfe']).repeat(length))
  }

  private leaseId(): string {
    return this.rng.pick(LEASE_IDS)
  }

  private ttl(): string {
    const { rng } = this
    return rng.chance(0.03) ? '9000000001' : String(rng.int(1, 9) * TTL_UNIT_SECONDS)
  }

  /** A revision that is usually available, and sometimes compacted, in the future, zero, or negative. */
  private nearRevision(): string {
    const { rng, known } = this
    const revision = rng.weighted([
      [8, rng.int(Math.max(known.compactRevision, 0), known.revision)],
      [2, known.compactRevision + rng.int(-2, 1)],
      [2, known.revision + rng.int(-1, 2)],
      [0.3, -rng.int(1, 9)],
    ])
    return String(revision)
  }
}

/**
 * Makes a transaction safe for etcd. etcd (3.4.23 and 3.5.30) panics and exits if a put with ignore_value or
 * ignore_lease follows a deletion of the same key in one transaction. Such puts are replaced by ordinary ones.
 */
function survivable(txn: Message): Message {
  if (!JSON.stringify(txn).includes('request_delete_range')) return txn
  return JSON.parse(JSON.stringify(txn), (field, value) => (field.startsWith('ignore_') ? false : value))
}
