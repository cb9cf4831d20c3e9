import type { Etcd } from './etcd.js'

/**
 * Number of requests of a method, such as `LeaseTimeToLive`, that etcd has answered since its start, from its metrics.
 */
export async function answeredRequests(
  { endpoint }: Pick<Etcd, 'endpoint'>,
  method: string,
): Promise<number> {
  const text = await (await fetch(`http://${endpoint}/metrics`)).text()
  const lines = text.matchAll(/^grpc_server_handled_total\{.*grpc_method="(\w+)".*\} (\S+)$/gm)
  let answered = 0
  for (const [, counted, number] of lines) if (counted === method) answered += Number(number)
  return answered
}
