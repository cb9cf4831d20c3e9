import { fromBinary } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  HttpConnectionManagerSchema,
  ListenerSchema,
  RouteConfigurationSchema,
} from '../../../src/xds/proto/xds_pb.js'
import { cluster, listener, loadAssignment, routes, TYPE_URLS } from '../../../src/xds/resources.js'

describe('the resources of a service', () => {
  it('lead from the listener through routes and cluster to the assignment, all with the name of the service', () => {
    const found = fromBinary(ListenerSchema, listener('hello').value)
    const manager = fromBinary(
      HttpConnectionManagerSchema,
      found.apiListener?.apiListener?.value ?? new Uint8Array(),
    )
    expect(found.name).toBe('hello')
    expect(manager.rds).toMatchObject({ routeConfigName: 'hello', configSource: { ads: {} } })
    expect(manager.httpFilters[0]?.typedConfig?.typeUrl).toMatch(
      /envoy\.extensions\.filters\.http\.router\.v3\.Router$/,
    )
    const [host] = fromBinary(RouteConfigurationSchema, routes('hello').value).virtualHosts
    expect(host).toMatchObject({ domains: ['*'], routes: [{ route: { cluster: 'hello' } }] })
    expect(fromBinary(ClusterSchema, cluster('hello').value)).toMatchObject({
      name: 'hello',
      edsClusterConfig: { serviceName: 'hello', edsConfig: { ads: {} } },
    })
  })

  it('include the prefix of the route although it is empty: without it, a client rejects the routes', () => {
    const [host] = fromBinary(RouteConfigurationSchema, routes('hello').value).virtualHosts
    expect(host?.routes[0]?.match?.pathSpecifier).toEqual({ case: 'prefix', value: '' })
  })

  it('contain a locality for each endpoint, and an empty assignment for a service without endpoints', () => {
    const sockets = [{ ip: '10.0.0.1', port: 1001 }] as const
    const { typeUrl, value } = loadAssignment('hello', [
      { registry: 'dc2', name: 'a', sockets, weight: 7, priority: 1 },
    ])
    expect(typeUrl).toBe(TYPE_URLS.EDS)
    expect(fromBinary(ClusterLoadAssignmentSchema, value)).toMatchObject({
      clusterName: 'hello',
      endpoints: [
        {
          locality: { region: 'dc2', zone: '', subZone: 'a' },
          lbEndpoints: [
            { endpoint: { address: { socketAddress: { address: '10.0.0.1', portValue: 1001 } } } },
          ],
          loadBalancingWeight: 7,
          priority: 1,
        },
      ],
    })
    const empty = fromBinary(ClusterLoadAssignmentSchema, loadAssignment('nobody', []).value)
    expect(empty).toMatchObject({ clusterName: 'nobody', endpoints: [] })
  })
})
