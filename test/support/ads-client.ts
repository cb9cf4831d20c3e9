import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js'
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '../../src/xds/proto/xds_pb.js'
import { type ResourceType, TYPE_URLS } from '../../src/xds/resources.js'
import { until } from './disco.js'

const PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources'

interface RequestFields {
  readonly typeUrl: string
  readonly resourceNames: string[]
  readonly versionInfo?: string
  readonly responseNonce?: string
  readonly errorDetail?: { readonly code: number; readonly message: string }
}

/** An xDS client that sends only what a test requests. Real clients answer responses by themselves. */
export class AdsClient implements Disposable {
  readonly responses: DiscoveryResponse[] = []
  /** The error with which the server ended the stream; null while the stream is open. */
  end: ServiceError | null = null
  private readonly client: Client
  private readonly call: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>

  constructor(
    addr: string,
    { node = 'test', creds = credentials.createInsecure() }: { node?: string; creds?: typeof INSECURE } = {},
  ) {
    this.client = new Client(addr, creds)
    this.call = this.client.makeBidiStreamRequest(
      PATH,
      (request: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, request)),
      (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
    )
    this.node = node
    this.call.on('data', (response: DiscoveryResponse) => {
      this.responses.push(response)
      if (this.isAccepting) this.answer(response, this.names.get(response.typeUrl) ?? [])
    })
    this.call.on('error', (error: ServiceError) => {
      this.end = error
    })
  }

  /** Whether each response is accepted on arrival. */
  isAccepting = false
  /** The last requested resource names by type. */
  private readonly names = new Map<string, readonly string[]>()
  private readonly node: string

  send(fields: RequestFields): void {
    this.call.write(create(DiscoveryRequestSchema, { node: { id: this.node }, ...fields }))
  }

  ask(type: ResourceType, ...resourceNames: string[]): void {
    this.names.set(TYPE_URLS[type], resourceNames)
    this.send({ typeUrl: TYPE_URLS[type], resourceNames })
  }

  /** Accepts a response, or rejects it with a reason, and subscribes to these names. */
  answer(
    { typeUrl, nonce, versionInfo }: DiscoveryResponse,
    resourceNames: readonly string[],
    rejection?: string,
  ): void {
    const errorDetail = rejection === undefined ? {} : { errorDetail: { code: 3, message: rejection } }
    this.send({
      typeUrl,
      versionInfo,
      responseNonce: nonce,
      resourceNames: [...resourceNames],
      ...errorDetail,
    })
  }

  of(type: ResourceType): DiscoveryResponse[] {
    return this.responses.filter(({ typeUrl }) => typeUrl === TYPE_URLS[type])
  }

  /** The response with this index, from 0, among those of a type. */
  async response(type: ResourceType, at: number): Promise<DiscoveryResponse> {
    await until(
      () => this.of(type).length > at,
      () => `response ${at} of ${type}, have ${this.of(type).length}, ended by ${this.end?.message}`,
    )
    const found = this.of(type)[at]
    if (!found) throw new Error('no response')
    return found
  }

  async ended(): Promise<ServiceError> {
    await until(
      () => this.end !== null,
      () => 'the server to end the stream',
    )
    return this.end as ServiceError
  }

  [Symbol.dispose](): void {
    this.call.on('error', () => undefined)
    this.call.cancel()
    this.client.close()
  }
}

const INSECURE = credentials.createInsecure()

/** A client that sends requests and never reads. The server has to buffer its responses once the window is full. */
export class DeafClient implements Disposable {
  private readonly session: ClientHttp2Session
  private readonly stream: ClientHttp2Stream

  constructor(addr: string) {
    this.session = connect(`http://${addr}`).on('error', () => undefined)
    const headers = { 'content-type': 'application/grpc', te: 'trailers' }
    this.stream = this.session.request({ ':method': 'POST', ':path': PATH, ...headers })
    this.stream.on('error', () => undefined)
  }

  ask(type: ResourceType, ...resourceNames: string[]): void {
    this.send({ typeUrl: TYPE_URLS[type], resourceNames })
  }

  /** Accepts a response without reading it. */
  guess(type: ResourceType, responseNonce: string, ...resourceNames: string[]): void {
    this.send({ typeUrl: TYPE_URLS[type], responseNonce, resourceNames })
  }

  private send(fields: RequestFields): void {
    const request = create(DiscoveryRequestSchema, { ...fields })
    const bytes = toBinary(DiscoveryRequestSchema, request)
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(bytes.length, 1)
    this.stream.write(Buffer.concat([prefix, bytes]))
  }

  [Symbol.dispose](): void {
    this.session.destroy()
  }
}

/** The assignments of a response. */
export function assignmentsIn({ resources }: DiscoveryResponse): ClusterLoadAssignment[] {
  return resources.map(({ value }) => fromBinary(ClusterLoadAssignmentSchema, value))
}

/** Weights of the assignments of a response, by service and address. */
export function weightsIn(response: DiscoveryResponse): Record<string, Record<string, number>> {
  return Object.fromEntries(
    assignmentsIn(response).map(({ clusterName, endpoints }) => [
      clusterName,
      Object.fromEntries(
        endpoints.map(({ locality, loadBalancingWeight = 0 }) => [
          locality?.subZone ?? '',
          loadBalancingWeight,
        ]),
      ),
    ]),
  )
}

/** Priorities of the assignments of a response, by address. */
export function prioritiesIn(response: DiscoveryResponse): Record<string, number> {
  return Object.fromEntries(
    assignmentsIn(response).flatMap(({ endpoints }) =>
      endpoints.map(({ locality, priority }) => [locality?.subZone ?? '', priority]),
    ),
  )
}
