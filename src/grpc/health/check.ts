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
import { noAnswerIn } from '../../net/connection-problem.js'
import { httpStatusOf } from '../../net/grpc-js-texts.js'
import type { BackendTls } from '../backend-tls.js'
import {
  type ConnectionFault,
  connectionProblem,
  findConnectionFault,
  isDescriptorLimit,
} from '../connection-problem.js'
import { type Headers, metadataOf } from '../protocol.js'
import { authorityOf } from '../resolver/target.js'
import { HEALTH_PATHS, healthRequest, healthResponse, type ServingStatus } from './protocol.js'

/** The result of one check of one address. */
export interface HealthCheckResult {
  /** Whether a gRPC connection was established. */
  readonly isConnected: boolean
  /** The status that the server reports; UNIMPLEMENTED if it has no grpc.health.v1; null if it reports no status. */
  readonly status: ServingStatus | 'UNIMPLEMENTED' | null
  /** Whether the status is SERVING, or UNIMPLEMENTED, which counts as healthy (gRFC A17). */
  readonly isHealthy: boolean
  /** Why the server is not healthy, as a clause for messages; null if it is healthy. */
  readonly problem: string | null
  /** The kind of the problem, for programs; null if the server is healthy. */
  readonly fault: HealthFault | null
  /** Whether the connection was refused because no process listens at the address. */
  readonly isRefused: boolean
  /** Time until the result of the health check, including the connection, but without the search for a cause. */
  readonly latencyMs: number
}

/**
 * Why a server is not healthy:
 *
 * - `refused`: no process listens at the address
 * - `speaks-tls`: the server speaks TLS, but was dialled in plaintext
 * - `speaks-plaintext`: the server speaks plaintext, but was dialled with TLS
 * - `no-socket`: the server's Unix socket does not exist on this machine
 * - `local`: this process could not open a socket; the state of the server is unknown
 * - `unreachable`: any other failure of the connection
 * - `no-answer`: the deadline has passed without an answer, with or without a connection
 * - `denied`: the server refuses to answer this client (UNAUTHENTICATED or PERMISSION_DENIED)
 * - `not-serving`: the server reports that it is not serving, or returns any other error
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
  /** The address as registered: `host:port`, `[ipv6]:port` or `unix:/path`. */
  readonly addr: string
  /** The service that the server is registered for. As in a call, its name is the `:authority`, and the name in TLS. */
  readonly service: string
  /** Default: plaintext. */
  readonly tls?: BackendTls | undefined
}

export interface HealthCheckOptions {
  /** The gRPC service to check. Default: the server as a whole. */
  readonly service?: string
  /** Time limit for the connection, the health check and the search for the cause of a failure together. */
  readonly deadlineMs: number
  readonly headers?: Headers | undefined
  /** Default: the name of the registered service. */
  readonly authority?: string | undefined
  /** Cancels the check. The problem of its result is then the status CANCELLED. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks the health of a server once (grpc.health.v1 Check). Uses a new connection, because an existing connection does
 * not show whether the server accepts new ones. Never rejects.
 */
export async function checkHealth(
  server: CheckedServer,
  options: HealthCheckOptions,
): Promise<HealthCheckResult> {
  const { addr, tls } = server
  const startMs = performance.now()
  const client = new Client(
    dialTarget(addr),
    tls?.credentials ?? credentials.createInsecure(),
    channelOptionsOf(server, options.authority),
  )
  try {
    const { failure, ...result } = await callCheck(client, options)
    const latencyMs = performance.now() - startMs
    if (failure === null) return { isRefused: false, ...result, latencyMs }
    const { text: problem, speaks } = await causeOf(failure, server, options.deadlineMs - latencyMs)
    const fault = speaks === null ? faultOf(failure) : (`speaks-${speaks}` as const)
    return { ...result, isRefused: fault === 'refused', fault, problem, latencyMs }
  } finally {
    client.close()
  }
}

function channelOptionsOf({ service, tls }: CheckedServer, authority: string | undefined): ChannelOptions {
  const name = authorityOf({ service })
  // Any other name is invalid in a header or in TLS: grpc-js then uses the address.
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

/** The cause of a failed connection; grpc-js's own error if the search takes longer than `leftMs`. */
async function causeOf(
  failure: string,
  { addr, tls }: CheckedServer,
  leftMs: number,
): Promise<ConnectionFault> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<ConnectionFault>((resolve) => {
    const text = connectionProblem(failure)
    timer = setTimeout(() => resolve({ text, speaks: null }), leftMs)
  })
  try {
    return await Promise.race([findConnectionFault(addr, failure, tls), late])
  } finally {
    clearTimeout(timer)
  }
}

type CallResult = Omit<HealthCheckResult, 'isRefused' | 'latencyMs'> & {
  /** grpc-js's details for UNAVAILABLE; null for other results. */
  readonly failure: string | null
}

function callCheck(
  client: Client,
  { service = '', deadlineMs, headers = [], signal }: HealthCheckOptions,
): Promise<CallResult> {
  return new Promise((resolve) => {
    let removeListener: (() => void) | undefined
    const finish = (result: CallResult) => {
      removeListener?.()
      resolve(result)
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
    removeListener = signal && onAbort(signal, () => call.cancel())
  })
}

function fromStatus(servingStatus: ServingStatus): CallResult {
  const isHealthy = servingStatus === 'SERVING'
  const finding = isHealthy ? NO_PROBLEM : ({ problem: servingStatus, fault: 'not-serving' } as const)
  return { isConnected: true, status: servingStatus, isHealthy, ...finding, failure: null }
}

const NO_PROBLEM = { problem: null, fault: null } as const

/** A failed health check. */
interface FailedCheck {
  readonly service: string
  readonly deadlineMs: number
  /** Whether the connection still exists after the check. */
  readonly isConnected: boolean
}

function fromError(
  { code, details }: ServiceError,
  { service, deadlineMs, isConnected: isStillConnected }: FailedCheck,
): CallResult {
  const failed = (isConnected: boolean, problem: string, fault: HealthFault) =>
    ({ isConnected, status: null, isHealthy: false, problem, fault, failure: null }) as const
  // grpc-js maps an HTTP status to a gRPC status: for example, a web server's 404 to UNIMPLEMENTED.
  const httpStatus = httpStatusOf(details)
  if (httpStatus !== null) return failed(false, `answers HTTP ${httpStatus}, not gRPC`, 'unreachable')
  switch (code) {
    case status.UNIMPLEMENTED:
      return { isConnected: true, status: 'UNIMPLEMENTED', isHealthy: true, ...NO_PROBLEM, failure: null }
    case status.NOT_FOUND:
      return {
        ...failed(true, `does not know service "${service}"`, 'not-serving'),
        status: 'SERVICE_UNKNOWN',
      }
    case status.UNAVAILABLE:
      return { ...failed(false, details, 'unreachable'), failure: details }
    case status.DEADLINE_EXCEEDED:
      return failed(isStillConnected, noAnswerIn(deadlineMs), 'no-answer')
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return failed(true, `${status[code]}: ${details}`, 'denied')
    default:
      return failed(true, `${status[code] ?? code}: ${details}`, 'not-serving')
  }
}

/** The grpc-js target of a registered address: `dns:` for a host or IP address, `unix:` for a Unix socket. */
function dialTarget(addr: string): string {
  return addr.startsWith('unix:') ? addr : `dns:///${addr}`
}
