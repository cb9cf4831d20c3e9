import type { LeaseId } from '../../domain/endpoint.js'
import type { Registry, Ttl } from '../../registry/registry.js'
import { grouped } from '../terminal/units.js'

/** Asks for the granted TTLs of leases, each once. */
export class LeaseTimes {
  /** Beyond this number, asking takes longer than all else: 10,000 leases take 3 s of CPU. */
  static readonly MAX = 1_000

  private readonly known = new Map<LeaseId, Ttl>()
  private leftOut = 0

  /** @param all whether to ask for more than `MAX` */
  constructor(
    private readonly registry: Pick<Registry, 'ttls'>,
    private readonly all: boolean,
  ) {}

  /** Whether some were not asked for. */
  get wereLeftOut(): boolean {
    return this.leftOut > 0
  }

  get remark(): string {
    return `The granted TTLs beyond the first ${grouped(LeaseTimes.MAX)} leases are left out; --ttl asks for them`
  }

  async of(leases: ReadonlySet<LeaseId>): Promise<ReadonlyMap<LeaseId, Ttl>> {
    const unknown = [...leases].filter((lease) => !this.known.has(lease))
    const room = this.all ? unknown.length : Math.max(0, LeaseTimes.MAX - this.known.size)
    this.leftOut += Math.max(0, unknown.length - room)
    const asked = unknown.slice(0, room)
    if (asked.length > 0)
      for (const [lease, ttl] of await this.registry.ttls(asked)) this.known.set(lease, ttl)
    return this.known
  }
}
