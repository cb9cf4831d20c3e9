import { Client, credentials } from '@grpc/grpc-js'
import { type ChannelSettings, channelOptions } from './channel-options.js'
import { targetOf } from './target.js'

export type { Client }

/** A client of a registered service; connects at once. Close it. */
export function dial(service: string, settings: ChannelSettings): Client {
  const client = new Client(targetOf(service), credentials.createInsecure(), channelOptions(settings))
  client.getChannel().getConnectivityState(true)
  return client
}
