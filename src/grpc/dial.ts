import { Client, credentials } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import type { BackendTls } from './backend-tls.js'
import { type ChannelSettings, channelOptions } from './channel-options.js'
import { channelLimit } from './protocol.js'

export type { Client }

/** How a target is dialled. */
export interface DialSettings extends ChannelSettings {
  /** Default: plaintext. */
  readonly tls?: BackendTls | undefined
  /** The `:authority` of calls. Default: the service's name. */
  readonly authority?: string | undefined
  /** The limit of a reply's size. Default: 4 MiB. */
  readonly maxMessageBytes?: number | undefined
}

/** This process does not serve channelz, and its counters take about 10 KB per connection. */
const OWN_OPTIONS = { 'grpc.enable_channelz': 0 }

/**
 * A client of a target; connects at once. Close it. @throws DiscoError USAGE for its service config, or the target's
 * registries
 */
export function dial(target: string, settings: DialSettings): Client {
  const client = made(target, settings)
  client.getChannel().getConnectivityState(true)
  return client
}

function made(target: string, { tls, authority, maxMessageBytes, ...settings }: DialSettings): Client {
  const options = {
    ...channelOptions(settings),
    ...tls?.options,
    ...OWN_OPTIONS,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
    'grpc.max_receive_message_length': channelLimit(maxMessageBytes),
  }
  try {
    return new Client(target, tls?.credentials ?? credentials.createInsecure(), options)
  } catch (cause) {
    // The resolver's error about the target.
    if (cause instanceof DiscoError) throw cause
    // The service config is the only option here that grpc-js may refuse.
    throw new DiscoError('USAGE', `The service config cannot be used: ${(cause as Error).message}`, { cause })
  }
}
