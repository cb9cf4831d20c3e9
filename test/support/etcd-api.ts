import { createRequire } from 'node:module'
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'

/** Any request or response of etcd's API: field names as in its .proto, int64 as decimal text, bytes in base64. */
export type Message = { readonly [field: string]: unknown }

/** The result of a unary call. */
export type Outcome =
  | { readonly ok: Message }
  | { readonly refused: { readonly code: string; readonly text: string } }

/** Much longer than any call takes, so that an unanswered call fails instead of hanging. */
const DEADLINE_MS = 20_000

/** Error of an invalid token. Tokens become invalid with time, when etcd restarts, and when its users change. */
const STALE_TOKEN = /UNAUTHENTICATED|revision of auth store is old/

type Method = MethodDefinition<object, object>

const definition = loadSync(createRequire(import.meta.url).resolve('etcd3/proto/rpc.proto'), {
  keepCase: true,
  longs: String,
  bytes: String,
  enums: Number,
  defaults: true,
  oneofs: true,
})

/** @param path such as `KV/Range`. */
function method(path: string): Method {
  const [service = '', name = ''] = path.split('/')
  const found = (definition[`etcdserverpb.${service}`] as ServiceDefinition | undefined)?.[name]
  if (found === undefined) throw new Error(`etcd's API has no ${path}`)
  return found as Method
}

/**
 * etcd’s API without a client library: requests are sent unchanged, and responses and refusals are returned completely.
 * A call is retried only if its token has expired.
 */
export class EtcdApi {
  private readonly client: Client
  private readonly metadata = new Metadata()
  private user: { readonly name: string; readonly password: string } | null = null

  constructor(endpoint: string) {
    this.client = new Client(endpoint, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  async call(path: string, request: Message): Promise<Outcome> {
    const outcome = await this.callOnce(path, request)
    const isStale =
      'refused' in outcome && STALE_TOKEN.test(`${outcome.refused.code} ${outcome.refused.text}`)
    if (!isStale || this.user === null) return outcome
    await this.login(this.user.name, this.user.password)
    return await this.callOnce(path, request)
  }

  private callOnce(path: string, request: Message): Promise<Outcome> {
    const { path: fullPath, requestSerialize, responseDeserialize } = method(path)
    return new Promise((resolve) => {
      const answer = (error: ServiceError | null, response?: object): void => {
        if (error === null) resolve({ ok: (response ?? {}) as Message })
        else resolve({ refused: { code: status[error.code] ?? String(error.code), text: error.details } })
      }
      const deadline = Date.now() + DEADLINE_MS
      this.client.makeUnaryRequest(
        fullPath,
        requestSerialize,
        responseDeserialize,
        request,
        this.metadata,
        { deadline },
        answer,
      )
    })
  }

  /** @throws Error if the call is refused */
  async get(path: string, request: Message): Promise<Message> {
    const outcome = await this.call(path, request)
    if ('refused' in outcome) throw new Error(`${path}: ${outcome.refused.code} ${outcome.refused.text}`)
    return outcome.ok
  }

  /** Logs in as a user for later unary calls. @throws Error if the login is refused */
  async login(name: string, password: string): Promise<void> {
    this.user = null
    this.metadata.remove('token')
    const { token } = await this.get('Auth/Authenticate', { name, password })
    this.metadata.set('token', String(token))
    this.user = { name, password }
  }

  stream(path: string): ClientDuplexStream<Message, Message> {
    const { path: fullPath, requestSerialize, responseDeserialize } = method(path)
    return this.client.makeBidiStreamRequest(
      fullPath,
      requestSerialize as (value: Message) => Buffer,
      responseDeserialize as (bytes: Buffer) => Message,
    )
  }

  close(): void {
    this.client.close()
  }
}
