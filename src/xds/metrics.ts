import { counter, type Family, gauge, renderPrometheus } from '../net/prometheus.js'
import { RESOURCE_TYPES, type ResourceType } from './resources.js'
import type { XdsServer } from './xds-server.js'

/** Counts the responses to clients and their answers, and renders the counts for Prometheus. */
export class XdsMetrics {
  private readonly responses = counts()
  private readonly acks = counts()
  private readonly nacks = counts()
  private unknownNames = 0
  private disconnected = 0

  subscribedUnknown(unknown: readonly string[]): void {
    this.unknownNames += unknown.length
  }

  responded(type: ResourceType): void {
    this.responses[type]++
  }

  answered(type: ResourceType, rejection: string | null): void {
    if (rejection === null) this.acks[type]++
    else this.nacks[type]++
  }

  /** @param reason why the server ended the stream; null if the client ended it */
  closed(reason: string | null): void {
    if (reason !== null) this.disconnected++
  }

  render({ catalog, streams, connections, registries, outages }: XdsServer): string {
    const services = [...catalog.services()]
    const waiting = [...streams].filter(({ types }) =>
      RESOURCE_TYPES.some((type) => types[type].subscription.waitsForAnswer),
    )
    const rejecting = [...streams].filter(({ types }) =>
      RESOURCE_TYPES.some((type) => types[type].rejection !== null),
    )
    return renderPrometheus([
      byType('disco_xds_responses_total', 'Responses to clients.', this.responses),
      byType('disco_xds_acks_total', 'Responses that clients accepted.', this.acks),
      byType('disco_xds_nacks_total', 'Responses that clients rejected.', this.nacks),
      counter(
        'disco_xds_unknown_names_total',
        'Names that clients have subscribed to and that are not served.',
        this.unknownNames,
      ),
      counter('disco_xds_disconnects_total', 'Streams that this side ended.', this.disconnected),
      gauge('disco_xds_streams', 'Streams of clients.', [{ value: streams.size }]),
      gauge('disco_xds_connections', 'Connections of clients.', [{ value: connections }]),
      gauge('disco_xds_streams_waiting', 'Streams with a response that is not answered yet.', [
        { value: waiting.length },
      ]),
      gauge('disco_xds_streams_rejecting', 'Streams whose client rejected the last response of a type.', [
        { value: rejecting.length },
      ]),
      gauge(
        'disco_xds_registry_up',
        'Whether the registry is reachable.',
        registries.length === 0
          ? [{ value: outages.size === 0 ? 1 : 0 }]
          : registries.map(({ registry }) => ({
              labels: { registry },
              value: outages.has(registry) ? 0 : 1,
            })),
      ),
      gauge(
        'disco_xds_endpoints',
        'Endpoints that clients are given.',
        services.map(([service, { assignment }]) => ({
          labels: { service },
          value: assignment.localities.length,
        })),
      ),
      gauge(
        'disco_xds_omitted',
        'Endpoints that are registered and not given to clients.',
        services.map(([service, { assignment }]) => ({
          labels: { service },
          value: assignment.omissions.length,
        })),
      ),
    ])
  }
}

function counts(): Record<ResourceType, number> {
  return { LDS: 0, RDS: 0, CDS: 0, EDS: 0 }
}

function byType(name: string, help: string, counted: Readonly<Record<ResourceType, number>>): Family {
  const samples = RESOURCE_TYPES.map((type) => ({ labels: { type }, value: counted[type] }))
  return { name, help, type: 'counter', samples }
}
