import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { onAbort } from '../../domain/abortable.js'
import { connectionFailure } from '../../net/connection-failure.js'
import { httpStatusOf } from '../../net/grpc-js-texts.js'
import type { BackendTls } from '../backend-tls.js'
import { connectionProblem, type Diagnosis, diagnose, isDescriptorLimit } from '../connection-problem.js'
import { type Headers, metadataOf } from '../protocol.js'
import { authorityOf } from '../resolver/target.js'
import { HEALTH_PATHS, healthRequest, healthResponse, type ServingStatus } from './protocol.js'

/** The result of one check of one address. */
export interface HealthChecked {
  /** Whether there is a gRPC connection. */
  readonly isConnected: boolean
  /** The server's answer; UNIMPLEMENTED if it has no grpc.health.v1, null without an answer. */
  readonly status: ServingStatus | 'UNIMPLEMENTED' | null
  /** SERVING, or a server without the protocol, which counts as healthy (gRFC A17). */
  readonly isHealthy: boolean
  /** Why it is not healthy, as a clause for messages; null if it is. */
  readonly problem: string | null
  /** The kind of the problem, for programs; null if there is none. */
  readonly fault: HealthFault | null
  /** Whether the connection was refused: nothing listens at the address. */
  readonly isRefused: boolean
  readonly latencyMs: number
}

/**
 * Why a server is not healthy:
 *
 * - `refused`: nothing listens at the address
 * - `speaks-tls`, `speaks-plaintext`: it was dialled with the wrong protocol
 * - `no-socket`: its Unix socket does not exist on this machine
 * - `local`: this process could not open a connection, which says nothing about the server
 * - `unreachable`: any other failure of the connection
 * - `no-answer`: no answer before the deadline, with or without a connection
 * - `denied`: it accepted the connection, but refuses to answer this client
 * - `not-serving`: it answers that it is not serving, or with an error
 */
export type HealthFault =
  | 'refused'
  | 'speaks-tls'
  | 'speaks-plaintext'
  | 'no-socket'
  | 'local'
  | 'unreachable'
  | 'no-answer'
  | 'denied'
  | 'not-serving'

/** A server to check. */
export interface CheckedServer {
  /** As registered: `host:port`, `[ipv6]:port` or `unix:/path`. */
  readonly addr: string
  /** The service that it is registered for. As in a call, it is the `:authority`, and the name in TLS. */
  readonly service: string
  /** Default: plaintext. */
  readonly tls?: BackendTls | undefined
}

export interface HealthCheckOptions {
  /** The gRPC service to ask about. Default: the server as a whole. */
  readonly service?: string
  /** The limit of connection and answer together, including the search for the cause of a failure. */
  readonly deadlineMs: number
  readonly headers?: Headers | undefined
  /** Default: the registered service's name. */
  readonly authority?: string | undefined
  /** Ends the check early, without an answer. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks the health of a server once (grpc.health.v1 Check), over a separate connection: an existing one would not
 * show whether new ones can be made. Never rejects.
 */
export async function checkHealth(
  server: CheckedServer,
  options: HealthCheckOptions,
): Promise<HealthChecked> {
  const { addr, tls } = server
  const startMs = performance.now()
  const client = new Client(
    dialTarget(addr),
    tls?.credentials ?? credentials.createInsecure(),
    channelOptionsOf(server, options.authority),
  )
  try {
    const { failure, ...answer } = await ask(client, options)
    const latencyMs = performance.now() - startMs
    if (failure === null) return { isRefused: false, ...answer, latencyMs }
    const { text: problem, speaks } = await causeOf(failure, server, options.deadlineMs - latencyMs)
    const fault = speaks === null ? faultOf(failure) : (`speaks-${speaks}` as const)
    return { ...answer, isRefused: fault === 'refused', fault, problem, latencyMs }
  } finally {
    client.close()
  }
}

function channelOptionsOf({ service, tls }: CheckedServer, authority: string | undefined): ChannelOptions {
  const name = authorityOf({ service })
  // Other names are invalid in a header or in TLS: the address is used instead.
  const named = /^[!-~]+$/.test(name)
    ? { 'grpc.default_authority': name, ...(tls ? { 'grpc.ssl_target_name_override': name } : {}) }
    : {}
  return {
    ...named,
    ...tls?.options,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    // This process does not serve channelz.
    'grpc.enable_channelz': 0,
  }
}

function faultOf(failure: string): HealthFault {
  const known = connectionFailure(failure)
  if (known === 'refused' || known === 'no-socket') return known
  return isDescriptorLimit(failure) ? 'local' : 'unreachable'
}

/** The cause of a failed connection; grpc-js's own error if probing the server takes too long. */
async function causeOf(failure: string, { addr, tls }: CheckedServer, leftMs: number): Promise<Diagnosis> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Diagnosis>((resolve) => {
    const text = connectionProblem(failure)
    timer = setTimeout(() => resolve({ text, speaks: null }), leftMs)
  })
  try {
    return await Promise.race([diagnose(addr, failure, tls), late])
  } finally {
    clearTimeout(timer)
  }
}

type Answer = Omit<HealthChecked, 'isRefused' | 'latencyMs'> & {
  /** grpc-js's error for a connection that could not be made; null if it was made, or time ran out. */
  readonly failure: string | null
}

function ask(
  client: Client,
  { service = '', deadlineMs, headers = [], signal }: HealthCheckOptions,
): Promise<Answer> {
  return new Promise((resolve) => {
    let forget: (() => void) | undefined
    const finish = (answer: Answer) => {
      forget?.()
      resolve(answer)
    }
    const call = client.makeUnaryRequest(
      HEALTH_PATHS.Check,
      healthRequest.encode,
      healthResponse.decode,
      { service },
      metadataOf(headers),
      { deadline: Date.now() + deadlineMs },
      (error, servingStatus) => {
        if (!error) return finish(fromStatus(servingStatus ?? 'UNKNOWN'))
        const isConnected = client.getChannel().getConnectivityState(false) === connectivityState.READY
        finish(fromError(error, { service, deadlineMs, isConnected }))
      },
    )
    forget = signal && onAbort(signal, () => call.cancel())
  })
}

function fromStatus(servingStatus: ServingStatus): Answer {
  const isHealthy = servingStatus === 'SERVING'
  const trouble = isHealthy ? NO_TROUBLE : ({ problem: servingStatus, fault: 'not-serving' } as const)
  return { isConnected: true, status: servingStatus, isHealthy, ...trouble, failure: null }
}

const NO_TROUBLE = { problem: null, fault: null } as const

interface Attempt {
  readonly service: string
  readonly deadlineMs: number
  /** Whether the connection exists after the attempt. */
  readonly isConnected: boolean
}

function fromError(
  { code, details }: ServiceError,
  { service, deadlineMs, isConnected: isStillConnected }: Attempt,
): Answer {
  const failed = (isConnected: boolean, problem: string, fault: HealthFault) =>
    ({ isConnected, status: null, isHealthy: false, problem, fault, failure: null }) as const
  // grpc-js maps an HTTP status to a gRPC status: a web server's 404 to UNIMPLEMENTED.
  const httpStatus = httpStatusOf(details)
  if (httpStatus !== null) return failed(false, `answers HTTP ${httpStatus}, not gRPC`, 'unreachable')
  switch (code) {
    case status.UNIMPLEMENTED:
      return { isConnected: true, status: 'UNIMPLEMENTED', isHealthy: true, ...NO_TROUBLE, failure: null }
    case status.NOT_FOUND:
      return {
        ...failed(true, `does not know service "${service}"`, 'not-serving'),
        status: 'SERVICE_UNKNOWN',
      }
    case status.UNAVAILABLE:
      return { ...failed(false, details, 'unreachable'), failure: details }
    case status.DEADLINE_EXCEEDED:
      return failed(isStillConnected, `no answer in ${deadlineMs} ms`, 'no-answer')
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return failed(true, `${status[code]}: ${details}`, 'denied')
    default:
      return failed(true, `${status[code] ?? code}: ${details}`, 'not-serving')
  }
}

/** The target of grpc-js for an address: a DNS name or an IP address, which has no scheme, or a Unix socket. */
function dialTarget(addr: string): string {
  return addr.startsWith('unix:') ? addr : `dns:///${addr}`
}
