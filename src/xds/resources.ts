import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt'
import type { Locality } from './locality.js'
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  type ConfigSource,
  ConfigSource_ApiVersion,
  ConfigSourceSchema,
  Cluster_DiscoveryType as DiscoveryType,
  HttpConnectionManagerSchema,
  ListenerSchema,
  LocalityLbEndpointsSchema,
  RouteConfigurationSchema,
} from './proto/xds_pb.js'

const PREFIX = 'type.googleapis.com/envoy'

/** The types of resources, by the names of their discovery services. */
export const TYPE_URLS = {
  LDS: `${PREFIX}.config.listener.v3.Listener`,
  RDS: `${PREFIX}.config.route.v3.RouteConfiguration`,
  CDS: `${PREFIX}.config.cluster.v3.Cluster`,
  EDS: `${PREFIX}.config.endpoint.v3.ClusterLoadAssignment`,
} as const

export type ResourceType = keyof typeof TYPE_URLS

/** All types, in the order in which a client without resources can use them. */
export const RESOURCE_TYPES = ['CDS', 'EDS', 'LDS', 'RDS'] as const satisfies readonly ResourceType[]

const HTTP_CONNECTION_MANAGER = `${PREFIX}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`
const ROUTER = `${PREFIX}.extensions.filters.http.router.v3.Router`

/** A reference to a resource of the same stream. */
function ads(): ConfigSource {
  return create(ConfigSourceSchema, { ads: {}, resourceApiVersion: ConfigSource_ApiVersion.V3 })
}

/** The listener for a client that dials `xds:///NAME`. It refers to the routes of the same name. */
export function listener(name: string): Any {
  const manager = create(HttpConnectionManagerSchema, {
    rds: { configSource: ads(), routeConfigName: name },
    // C-core rejects a listener without a router filter.
    httpFilters: [{ name: 'router', typedConfig: create(AnySchema, { typeUrl: ROUTER }) }],
  })
  const apiListener = any(HTTP_CONNECTION_MANAGER, HttpConnectionManagerSchema, manager)
  return any(TYPE_URLS.LDS, ListenerSchema, create(ListenerSchema, { name, apiListener: { apiListener } }))
}

/** The routes: all calls go to the cluster of the same name, whatever their authority. */
export function routes(name: string): Any {
  const match = { pathSpecifier: { case: 'prefix', value: '' } } as const
  const configuration = create(RouteConfigurationSchema, {
    name,
    virtualHosts: [{ name, domains: ['*'], routes: [{ match, route: { cluster: name } }] }],
  })
  return any(TYPE_URLS.RDS, RouteConfigurationSchema, configuration)
}

/** The cluster, whose endpoints are the assignment of the same name. */
export function cluster(name: string): Any {
  const message = create(ClusterSchema, {
    name,
    type: DiscoveryType.EDS,
    edsClusterConfig: { edsConfig: ads(), serviceName: name },
  })
  return any(TYPE_URLS.CDS, ClusterSchema, message)
}

/** The endpoints of a service. If there are no localities, calls fail with UNAVAILABLE at once. */
export function loadAssignment(name: string, localities: readonly Locality[]): Any {
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName: name,
    endpoints: localities.map(({ registry, name: subZone, sockets, weight, priority }) =>
      create(LocalityLbEndpointsSchema, {
        // The region distinguishes endpoints of two registries with the same address.
        locality: { region: registry ?? '', subZone },
        lbEndpoints: sockets.map(({ ip, port }) => ({
          endpoint: { address: { socketAddress: { address: ip, portValue: port } } },
        })),
        loadBalancingWeight: weight,
        priority,
      }),
    ),
  })
  return any(TYPE_URLS.EDS, ClusterLoadAssignmentSchema, message)
}

function any<Schema extends DescMessage>(
  typeUrl: string,
  schema: Schema,
  message: MessageShape<Schema>,
): Any {
  return create(AnySchema, { typeUrl, value: toBinary(schema, message) })
}
