import type { LeaseId } from '../../domain/endpoint.js'
import type { Registry, Ttl } from '../../registry/registry.js'
import { grouped } from '../terminal/units.js'

/** Reads the granted TTLs of leases from etcd, each once. */
export class LeaseTimes {
  /** The limit without `all`. With more leases, this takes longer than the rest of the command: 3 s for 10,000. */
  static readonly MAX = 1_000

  /** The TTLs of the leases that had not ended. */
  private readonly known = new Map<LeaseId, Ttl>()
  private readonly asked = new Set<LeaseId>()
  private leftOut = 0

  /** @param all whether to ask for the TTLs of more than `MAX` leases */
  constructor(
    private readonly registry: Pick<Registry, 'ttls'>,
    private readonly all: boolean,
  ) {}

  /** Whether some leases were left out. */
  get wereLeftOut(): boolean {
    return this.leftOut > 0
  }

  get remark(): string {
    return `The granted TTLs beyond the first ${grouped(LeaseTimes.MAX)} leases are left out; --ttl asks for them`
  }

  /** Returns all TTLs read so far, after reading those of the given leases within the limit. */
  async of(leases: ReadonlySet<LeaseId>): Promise<ReadonlyMap<LeaseId, Ttl>> {
    const unasked = [...leases].filter((lease) => !this.asked.has(lease))
    const room = this.all ? unasked.length : LeaseTimes.MAX - this.asked.size
    const next = unasked.slice(0, room)
    this.leftOut += unasked.length - next.length
    for (const lease of next) this.asked.add(lease)
    if (next.length > 0) for (const [lease, ttl] of await this.registry.ttls(next)) this.known.set(lease, ttl)
    return this.known
  }
}
