import { Client, connectivityState, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { connectionFailure } from '../../net/connection-failure.js'
import { httpStatusOf } from '../../net/grpc-js-texts.js'
import { connectionProblem } from '../connection-problem.js'
import { HEALTH_PATHS, healthRequest, healthResponse, type ServingStatus } from './protocol.js'

/** What one question to one address came to. */
export interface HealthChecked {
  /** Whether a gRPC connection stands. */
  readonly isConnected: boolean
  /** What the server says; UNIMPLEMENTED where it has no grpc.health.v1, null where it says nothing. */
  readonly status: ServingStatus | 'UNIMPLEMENTED' | null
  /** SERVING, or a server without the protocol (gRFC A17): nothing is known against it. */
  readonly isHealthy: boolean
  /** Why it is not healthy, as a clause for people; null where it is. */
  readonly problem: string | null
  /** Whether the connection was refused: nothing listens at the address. */
  readonly isRefused: boolean
  readonly latencyMs: number
}

export interface HealthCheckOptions {
  /** The gRPC service to ask about; the server as a whole unless given. */
  readonly service?: string
  /** How long the connection and the answer may take. */
  readonly deadlineMs: number
  /** Ends the question early: the answer is then that there was none. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks an address once for its health (grpc.health.v1 Check), over a connection of its own: an old one would
 * not tell whether new ones can be made. Never rejects.
 *
 * @param addr as registered: `host:port`, `[ipv6]:port` or `unix:/path`
 */
export async function checkHealth(
  addr: string,
  { service = '', deadlineMs, signal }: HealthCheckOptions,
): Promise<HealthChecked> {
  const startMs = performance.now()
  const client = new Client(dialTarget(addr), credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    // Nobody asks this process by channelz.
    'grpc.enable_channelz': 0,
  })
  try {
    const answer = await ask(client, { service, deadlineMs, signal })
    return { isRefused: false, ...answer, latencyMs: performance.now() - startMs }
  } finally {
    client.close()
  }
}

type Answer = Omit<HealthChecked, 'isRefused' | 'latencyMs'> & Partial<Pick<HealthChecked, 'isRefused'>>

function ask(client: Client, { service = '', deadlineMs, signal }: HealthCheckOptions): Promise<Answer> {
  return new Promise((resolve) => {
    const cancel = () => call.cancel()
    const finish = (answer: Answer) => {
      signal?.removeEventListener('abort', cancel)
      resolve(answer)
    }
    const call = client.makeUnaryRequest(
      HEALTH_PATHS.Check,
      healthRequest.encode,
      healthResponse.decode,
      { service },
      { deadline: Date.now() + deadlineMs },
      (error, said) => {
        if (!error) return finish(fromStatus(said ?? 'UNKNOWN'))
        const isConnected = client.getChannel().getConnectivityState(false) === connectivityState.READY
        finish(fromError(error, { service, deadlineMs, isConnected }))
      },
    )
    signal?.addEventListener('abort', cancel)
  })
}

function fromStatus(said: ServingStatus): Answer {
  const isHealthy = said === 'SERVING'
  return { isConnected: true, status: said, isHealthy, problem: isHealthy ? null : said }
}

interface Attempt {
  readonly service: string
  readonly deadlineMs: number
  /** The connection stands after the attempt. */
  readonly isConnected: boolean
}

function fromError(
  { code, details }: ServiceError,
  { service, deadlineMs, isConnected: isStanding }: Attempt,
): Answer {
  const failed = (isConnected: boolean, problem: string) =>
    ({ isConnected, status: null, isHealthy: false, problem }) as const
  // grpc-js takes an HTTP status for gRPC's: a 404 of a web server for UNIMPLEMENTED.
  const httpStatus = httpStatusOf(details)
  if (httpStatus !== null) return failed(false, `answers HTTP ${httpStatus}, not gRPC`)
  switch (code) {
    case status.UNIMPLEMENTED:
      return { isConnected: true, status: 'UNIMPLEMENTED', isHealthy: true, problem: null }
    case status.NOT_FOUND:
      return {
        ...failed(true, `knows no service "${service}"`),
        status: 'SERVICE_UNKNOWN',
      }
    case status.UNAVAILABLE:
      return {
        ...failed(false, withoutConnection(details)),
        isRefused: connectionFailure(details) === 'refused',
      }
    case status.DEADLINE_EXCEEDED:
      return failed(isStanding, `no answer in ${deadlineMs} ms`)
    default:
      return failed(true, `${status[code] ?? code}: ${details}`)
  }
}

/** A survey does not look at the server again: one that drops a plaintext connection without a word may want TLS. */
function withoutConnection(details: string): string {
  const problem = connectionProblem(details)
  return connectionFailure(details) === 'dropped' ? `${problem}: it may want TLS` : problem
}

/** An address is a name that DNS may know, never a scheme of grpc-js's. */
function dialTarget(addr: string): string {
  return addr.startsWith('unix:') ? addr : `dns:///${addr}`
}
