import { Client, credentials } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import { type ChannelSettings, channelOptions } from './channel-options.js'
import { targetOf } from './target.js'

export type { Client }

/** A client of a registered service; connects at once. Close it. @throws DiscoError USAGE for its service config */
export function dial(service: string, settings: ChannelSettings): Client {
  const client = made(service, settings)
  client.getChannel().getConnectivityState(true)
  return client
}

function made(service: string, settings: ChannelSettings): Client {
  const options = channelOptions(settings)
  try {
    return new Client(targetOf(service), credentials.createInsecure(), options)
  } catch (cause) {
    // grpc-js looks at nothing else that could be wrong here.
    throw new DiscoError('USAGE', `The service config cannot be used: ${(cause as Error).message}`, { cause })
  }
}
