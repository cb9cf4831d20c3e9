import { readRangeAnswer, readRangeAnswers } from './range-answer.js'

/**
 * Adds the methods `rangeAsPairs` and `rangesAsPairs` to a host's KV client: Range and Txn, whose answers are decoded
 * by `range-answer.ts`. etcd3's decoder creates five objects per key-value, which takes most of the time of a long
 * list.
 */
export function addRangeMethods(host: ClientSource): void {
  const serviceClient = host.getServiceClient.bind(host)
  host.getServiceClient = (name) => {
    const client = serviceClient(name)
    if (name === 'KV' && !('rangeAsPairs' in client)) {
      const kv = client as KvClient
      const reading =
        <Read>({ path, requestSerialize }: Method, read: (bytes: Buffer) => Read): Call<Read> =>
        (...call) =>
          kv.makeUnaryRequest(path, requestSerialize, read, ...call)
      Object.assign(client, {
        rangeAsPairs: reading(kv.range, readRangeAnswer),
        rangesAsPairs: reading(kv.txn, readRangeAnswers),
      })
    }
    return client
  }
}

/** The parts of etcd3's Host in use. */
interface ClientSource {
  /** Returns the client of a service, created on first use. */
  getServiceClient(name: string): object
}

/** A client of grpc-js for etcd's KV service. */
interface KvClient {
  readonly range: Method
  readonly txn: Method
  makeUnaryRequest<Answer>(
    path: string,
    serialize: (request: object) => Buffer,
    deserialize: (bytes: Buffer) => Answer,
    ...call: Parameters<Call<Answer>>
  ): void
}

/** The properties that grpc-js sets on the function of a method. */
interface Method {
  readonly path: string
  readonly requestSerialize: (request: object) => Buffer
}

type Call<Answer> = (
  request: object,
  metadata: object,
  options: object,
  done: (error: Error | null, answer?: Answer) => void,
) => void
