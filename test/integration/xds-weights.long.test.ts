import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { WireType } from '@bufbuild/protobuf/wire'
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import {
  ClusterLoadAssignmentSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '../../src/xds/proto/xds_pb.js'
import { cluster, listener, routes, TYPE_URLS } from '../../src/xds/resources.js'
import { FourKinds } from '../support/four-kinds.js'
import { expectShares, XdsClient, type XdsLibrary } from '../support/xds-clients.js'

const stops: (() => unknown)[] = []
afterEach(() => {
  for (const stop of stops.splice(0).reverse()) stop()
})

/** This is why disco xds gives each endpoint a locality of its own. */
describe.each<XdsLibrary>(['C-core', 'grpc-js'])('a client by %s', (library) => {
  it('ignores the weights of endpoints within a locality', async () => {
    const [light, heavy] = [await FourKinds.start(), await FourKinds.start()]
    stops.push(
      () => light.stop(),
      () => heavy.stop(),
    )
    const listen = await controlPlane([
      { addr: light.addr, weight: 1 },
      { addr: heavy.addr, weight: 9 },
    ])
    const client = XdsClient.start(library, listen)
    stops.push(() => client[Symbol.dispose]())
    await expectShares(client, { [light.addr]: 0.5, [heavy.addr]: 0.5 })
  }, 300_000)
})

/** A control plane that serves `hello` with all endpoints in one locality. */
async function controlPlane(endpoints: readonly { addr: string; weight: number }[]): Promise<string> {
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName: 'hello',
    endpoints: [
      {
        locality: { subZone: 'all' },
        loadBalancingWeight: 1,
        lbEndpoints: endpoints.map(({ addr }) => ({
          endpoint: {
            address: {
              socketAddress: { address: '127.0.0.1', portValue: Number(addr.split(':')[1]) },
            },
          },
        })),
      },
    ],
  })
  for (const [at, one] of assignment.endpoints[0]?.lbEndpoints.entries() ?? []) {
    // load_balancing_weight, which disco xds does not send: a UInt32Value, whose field 1 is the number.
    const data = new Uint8Array([2, 8, endpoints[at]?.weight ?? 0])
    one.$unknown = [{ no: 4, wireType: WireType.LengthDelimited, data }]
  }
  const value = toBinary(ClusterLoadAssignmentSchema, assignment)
  expect(Buffer.from(value).includes(Buffer.from([0x22, 2, 8, 9]))).toBe(true)
  const resources: Readonly<Record<string, Any>> = {
    [TYPE_URLS.LDS]: listener('hello'),
    [TYPE_URLS.RDS]: routes('hello'),
    [TYPE_URLS.CDS]: cluster('hello'),
    [TYPE_URLS.EDS]: create(AnySchema, { typeUrl: TYPE_URLS.EDS, value }),
  }
  const server = new Server()
  server.addService(ADS, {
    StreamAggregatedResources: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) => {
      call.on('data', ({ typeUrl, responseNonce }: DiscoveryRequest) => {
        const resource = resources[typeUrl]
        if (!resource || responseNonce !== '') return
        const response = { typeUrl, resources: [resource], versionInfo: '1', nonce: typeUrl }
        call.write(create(DiscoveryResponseSchema, response))
      })
      call.on('end', () => call.end())
    },
  })
  stops.push(() => server.forceShutdown())
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return `127.0.0.1:${port}`
}

const ADS = {
  StreamAggregatedResources: {
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    requestStream: true,
    responseStream: true,
    requestSerialize: (request: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
    requestDeserialize: (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes),
    responseSerialize: (response: DiscoveryResponse) =>
      Buffer.from(toBinary(DiscoveryResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(DiscoveryResponseSchema, bytes),
  },
}
