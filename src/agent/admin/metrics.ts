import type { EndpointRecord } from '../../domain/endpoint.js'
import { counter, type Family, gauge, renderPrometheus } from '../../net/prometheus.js'
import type { Registrar } from '../registrar/registrar.js'
import { PHASES } from '../registrar/state.js'

/** Counts the events of a registrar from its construction on, and renders them for Prometheus. */
export class Metrics {
  private readonly known = new Map<string, EndpointRecord>()
  private readonly counts = {
    registrations: 0,
    leaseLosses: 0,
    reattachments: 0,
    changes: 0,
    outages: 0,
    refusals: 0,
  }
  private readonly probes = { success: 0, failure: 0 }
  private readonly requests = new Map<number, number>()
  private isHealthy: boolean | null = null
  private lastProbeMs: number | null = null

  constructor(private readonly registrar: Registrar) {
    for (const { registered } of registrar.held) this.known.set(registered.addr, registered)
    this.counts.registrations = this.known.size
    registrar
      .on('registered', ({ registered }) => {
        this.counts.registrations++
        this.known.set(registered.addr, registered)
      })
      .on('changed', ({ registered }) => {
        this.counts.changes++
        this.known.set(registered.addr, registered)
      })
      .on('leaseLost', () => this.counts.leaseLosses++)
      .on('reattached', () => this.counts.reattachments++)
      .on('trouble', () => this.counts.outages++)
      .on('refused', () => this.counts.refusals++)
      .on('probed', ({ isHealthy, tookMs }) => {
        this.probes[isHealthy ? 'success' : 'failure']++
        this.lastProbeMs = tookMs
        this.isHealthy ??= false
      })
      .on('healthy', () => {
        this.isHealthy = true
      })
      .on('unhealthy', () => {
        this.isHealthy = false
      })
  }

  countRequest(status: number): void {
    this.requests.set(status, (this.requests.get(status) ?? 0) + 1)
  }

  render(): string {
    return renderPrometheus([...this.ofRegistration(), ...this.ofEtcd(), ...this.ofServer()])
  }

  private ofRegistration(): Family[] {
    const { held: all, status } = this.registrar
    const held = new Set(all.map(({ registered }) => registered.addr).filter((addr) => status.exists(addr)))
    const perEndpoint = (name: string, help: string, read: (registered: EndpointRecord) => number) =>
      gauge(
        name,
        help,
        [...this.known.values()].map((registered) => ({
          labels: { service: registered.service, version: registered.version, addr: registered.addr },
          value: read(registered),
        })),
      )
    const phases = PHASES.map((phase) => ({
      labels: { phase },
      value: Number(phase === this.registrar.phase),
    }))
    return [
      gauge('disco_phase', 'Phase of the registrar: 1 for the current one.', phases),
      perEndpoint(
        'disco_registered',
        'Whether the key of the endpoint exists in etcd, by its last answer.',
        ({ addr }) => Number(held.has(addr)),
      ),
      perEndpoint('disco_weight', 'Weight of the endpoint as last seen.', ({ weight }) => weight),
      counter(
        'disco_registrations_total',
        'Registrations of keys, repeated ones included.',
        this.counts.registrations,
      ),
      counter('disco_changes_total', 'Changes of held keys by other clients.', this.counts.changes),
    ]
  }

  private ofEtcd(): Family[] {
    const { leaseLosses, reattachments, outages, refusals } = this.counts
    const isUp = this.registrar.status.etcd === null
    return [
      gauge('disco_etcd_up', 'Whether etcd answers the keep-alives.', [{ value: Number(isUp) }]),
      counter('disco_etcd_outages_total', 'Outages of etcd.', outages),
      counter('disco_etcd_refusals_total', 'Refusals of etcd to put a key back.', refusals),
      counter('disco_lease_losses_total', 'Leases ended by etcd.', leaseLosses),
      counter(
        'disco_lease_reattachments_total',
        'Keys attached again after a plain put had detached them from their lease.',
        reattachments,
      ),
    ]
  }

  private ofServer(): Family[] {
    const { isHealthy, lastProbeMs } = this
    const results = Object.entries(this.probes).map(([result, value]) => ({ labels: { result }, value }))
    const requests = [...this.requests].map(([status, value]) => ({
      labels: { status: String(status) },
      value,
    }))
    return [
      gauge('disco_healthy', 'Whether the server passes its probe.', sampleOf(isHealthy)),
      gauge('disco_probe_seconds', 'Duration of the last probe.', sampleOf(lastProbeMs, 1_000)),
      { name: 'disco_probes_total', help: 'Probes made.', type: 'counter', samples: results },
      {
        name: 'disco_admin_requests_total',
        help: 'Admin requests answered.',
        type: 'counter',
        samples: requests,
      },
    ]
  }
}

/** A sample of the value; none while the value is unknown (null). */
function sampleOf(value: number | boolean | null, divisor = 1): Family['samples'] {
  return value === null ? [] : [{ value: Number(value) / divisor }]
}
