import { Client, credentials } from '@grpc/grpc-js'
import type { Policy } from '../policies/index.js'
import { channelOptions } from './channel-options.js'
import { OBSERVER_OPTION, type Observer } from './observer.js'
import { targetOf } from './target.js'

export type { Client }

/** A client of a registered service; connects at once. Close it. */
export function dial(service: string, policy: Policy, observer: Observer): Client {
  const options = { ...channelOptions(policy), [OBSERVER_OPTION]: observer }
  const client = new Client(targetOf(service), credentials.createInsecure(), options)
  client.getChannel().getConnectivityState(true)
  return client
}
