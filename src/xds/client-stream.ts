import { randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import type { Any } from '@bufbuild/protobuf/wkt'
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { Catalog, CatalogChange } from './catalog.js'
import { type DiscoveryRequest, type DiscoveryResponse, DiscoveryResponseSchema } from './proto/xds_pb.js'
import { cluster, listener, RESOURCE_TYPES, type ResourceType, routes, TYPE_URLS } from './resources.js'
import { Subscription } from './subscription.js'

export type AdsCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>

/** Once the assignments of a response reach this size, the rest follow in the next. Clients accept up to 4 MiB. */
const MAX_RESPONSE_BYTES = 2 * 2 ** 20

/** Maximum number of names of each type that one stream may subscribe to. */
const MAX_NAMES = 10_000

/**
 * Maximum number of characters of all names of a type. Each listener contains its name twice, and all listeners are
 * sent at once.
 */
const MAX_NAME_CHARACTERS = 512 * 1_024

/** Longer texts from a client are truncated, because they stay in memory as long as its stream. */
const MAX_ID_LENGTH = 256
const MAX_REASON_LENGTH = 2_000

/** The identity that a client gives in its first request. It is not verified. */
export interface ClientIdentity {
  /** `node.id` of its bootstrap file. */
  readonly node: string
  /** Its library and version. */
  readonly agent: string
}

export interface StreamSettings {
  readonly catalog: Catalog
  /** Prefix of resource versions, so that versions of a restarted process differ. */
  readonly instance: string
  /** How long a client may take to accept or reject a response. */
  readonly answerMs: number
}

/** The answer of a client to a response: ACK or NACK. */
export interface ClientAnswer {
  readonly type: ResourceType
  readonly version: string
  /** The client's reason; null for an ACK. */
  readonly rejection: string | null
}

export interface StreamEvents {
  /** The client has sent its first request. */
  opened(stream: ClientStream): void
  /**
   * The client has subscribed to names that are not served. It receives them without endpoints.
   *
   * @param known names that are served
   */
  subscribedUnknown(stream: ClientStream, unknown: readonly string[], known: Iterable<string>): void
  responded(stream: ClientStream, type: ResourceType): void
  answered(stream: ClientStream, answer: ClientAnswer): void
  /** @param reason why the server ended the stream; null if the client ended it */
  closed(stream: ClientStream, reason: string | null): void
}

/** The state of one resource type on a stream. */
export interface StreamType {
  readonly subscription: Subscription
  /** The version of the last response; empty before the first. */
  sentVersion: string
  /** The last version that the client accepted; empty before the first. */
  ackedVersion: string
  /** Why the client rejected the last response; null if it did not. */
  rejection: string | null
  /** Ends the stream if the client does not answer the last response. */
  deadline: NodeJS.Timeout | undefined
  /** Nonce of the response that is being written; null if no response is. */
  unwritten: string | null
  /**
   * An answer received before its response has been written, the newest if there are several; null if there is none.
   * It is handled after the write.
   */
  early: DiscoveryRequest | null
}

/** The ADS stream of one client. It carries all resource types. */
export class ClientStream {
  /** Null before the first request. */
  identity: ClientIdentity | null = null
  /** Address and port of the client's connection. */
  readonly peer: string
  /** Whether the HTTP/2 stream has closed. After `end`, it stays open until the client has read the status. */
  isClosed = false
  readonly types = {
    LDS: typeState(new Subscription('whole')),
    RDS: typeState(new Subscription('changes')),
    CDS: typeState(new Subscription('whole')),
    EDS: typeState(new Subscription('changes')),
  } satisfies Record<ResourceType, StreamType>
  private nonce = 0
  /** Whether the stream has ended for us: requests are ignored, and nothing more is sent but the status. */
  private isOver = false

  constructor(
    private readonly call: AdsCall,
    private readonly settings: StreamSettings,
    private readonly events: StreamEvents,
  ) {
    this.peer = call.getPeer()
    call.on('data', (request: DiscoveryRequest) => this.take(request))
    call.once('end', () => this.end(status.OK, null))
    call.once('cancelled', () => {
      this.isClosed = true
      this.close(null)
    })
    // grpc-js closes the stream after an error, and emits `cancelled` or `end`.
    call.on('error', () => this.close(null))
  }

  changed({ assignments, hasNameChanges }: CatalogChange): void {
    if (this.isOver) return
    this.types.EDS.subscription.changed(assignments)
    if (hasNameChanges) {
      this.types.LDS.subscription.changedNames()
      this.types.CDS.subscription.changedNames()
    }
    for (const type of RESOURCE_TYPES) this.send(type)
  }

  /** Ends the stream with a status. The client keeps its resources and reconnects. */
  end(code: status, reason: string | null): void {
    if (this.isOver) return
    this.close(reason)
    if (code === status.OK) this.call.end()
    else this.call.emit('error', { code, details: reason })
  }

  private take(request: DiscoveryRequest): void {
    if (this.isOver) return
    this.identify(request)
    const type = RESOURCE_TYPES.find((one) => TYPE_URLS[one] === request.typeUrl)
    // A type that is not served, such as secrets, gets no response: xDS has no message that refuses a type.
    if (!type) return
    const { resourceNames, responseNonce, errorDetail } = request
    const tooMany = excessOf(resourceNames)
    if (tooMany !== null) {
      this.end(status.RESOURCE_EXHAUSTED, `${type}: ${tooMany}`)
      return
    }
    const state = this.types[type]
    // Handled after the write, so that at most one response of each type is unwritten. Otherwise a client that knew the
    // nonces could answer responses without reading them, and these would fill the memory. As a second protection,
    // `send` makes nonces that cannot be guessed.
    if (responseNonce !== '' && responseNonce === state.unwritten) {
      state.early = request
      return
    }
    const rejection = errorDetail
      ? errorDetail.message.slice(0, MAX_REASON_LENGTH) || `code ${errorDetail.code}`
      : null
    const { answer, added } = state.subscription.take({
      names: resourceNames,
      nonce: responseNonce,
      rejection,
    })
    if (answer === 'stale') return
    if (type === 'EDS') this.reportUnknown(added)
    if (answer !== 'none') this.answered(type, state, rejection)
    this.send(type)
  }

  /** Reports names that are not served. Called for assignments only: the other types have the same names. */
  private reportUnknown(names: readonly string[]): void {
    const { catalog } = this.settings
    const known = catalog.names
    const unknown = known ? names.filter((name) => !catalog.has(name)) : []
    if (known && unknown.length > 0) this.events.subscribedUnknown(this, unknown, known)
  }

  private answered(type: ResourceType, state: StreamType, rejection: string | null): void {
    clearTimeout(state.deadline)
    state.rejection = rejection
    if (rejection === null) state.ackedVersion = state.sentVersion
    this.events.answered(this, { type, version: state.sentVersion, rejection })
  }

  private identify({ node }: DiscoveryRequest): void {
    if (this.identity) return
    const { id = '', userAgentName = '', userAgentVersion = '' } = node ?? {}
    const agent = `${userAgentName} ${userAgentVersion}`.trim()
    this.identity = { node: id.slice(0, MAX_ID_LENGTH), agent: agent.slice(0, MAX_ID_LENGTH) }
    this.events.opened(this)
  }

  private send(type: ResourceType): void {
    const { catalog, instance, answerMs } = this.settings
    const state = this.types[type]
    const resources = state.subscription.takePending(
      (name) => resourceOf(type, name, catalog),
      () => catalog.names,
      MAX_RESPONSE_BYTES,
    )
    if (!resources) return
    // A client cannot know the nonce of a response that it has not read.
    const nonce = `${++this.nonce}.${randomBytes(12).toString('hex')}`
    state.unwritten = nonce
    state.sentVersion = `${instance}.${catalog.version}`
    state.subscription.sent(nonce)
    state.deadline = setTimeout(() => {
      const reason = `no ACK or NACK of the last ${type} response within ${answerMs / 1_000}s`
      this.end(status.DEADLINE_EXCEEDED, reason)
    }, answerMs).unref()
    const versionInfo = state.sentVersion
    this.call.write(
      create(DiscoveryResponseSchema, { versionInfo, resources, typeUrl: TYPE_URLS[type], nonce }),
      (error: Error | null | undefined) => {
        if (!error) this.written(state)
      },
    )
    this.events.responded(this, type)
  }

  private written(state: StreamType): void {
    const { early } = state
    state.unwritten = null
    state.early = null
    if (early) this.take(early)
  }

  private close(reason: string | null): void {
    if (this.isOver) return
    this.isOver = true
    for (const { deadline } of Object.values(this.types)) clearTimeout(deadline)
    this.events.closed(this, reason)
  }
}

function typeState(subscription: Subscription): StreamType {
  return {
    subscription,
    sentVersion: '',
    ackedVersion: '',
    rejection: null,
    deadline: undefined,
    unwritten: null,
    early: null,
  }
}

function resourceOf(type: ResourceType, name: string, catalog: Catalog): Any | null {
  if (type === 'LDS') return listener(name)
  if (type === 'RDS') return routes(name)
  if (type === 'CDS') return cluster(name)
  return catalog.assignment(name)
}

/** The limit that the names exceed, as a clause; null if they are within the limits. */
function excessOf(names: readonly string[]): string | null {
  if (names.length > MAX_NAMES) return `${names.length} names; a stream may have ${MAX_NAMES}`
  const characters = names.reduce((sum, { length }) => sum + length, 0)
  if (characters <= MAX_NAME_CHARACTERS) return null
  return `names of ${characters} characters; a stream may have ${MAX_NAME_CHARACTERS}`
}
