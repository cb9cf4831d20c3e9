import { Client, credentials } from '@grpc/grpc-js'
import { DiscoError } from '../domain/errors.js'
import type { BackendTls } from './backend-tls.js'
import { type ChannelSettings, channelOptions } from './channel-options.js'
import { channelLimit } from './protocol.js'

export type { Client }

/** Settings of a channel to a target. */
export interface DialSettings extends ChannelSettings {
  /** Default: plaintext. */
  readonly tls?: BackendTls | undefined
  /** The `:authority` of calls. Default: `authorityOf` the target, or the host of a target without a registry. */
  readonly authority?: string | undefined
  /** Maximum size of a reply. Default: 4 MiB. */
  readonly maxMessageBytes?: number | undefined
}

/** Disables channelz: this process does not serve it, and its counters take about 10 KB per connection. */
const WITHOUT_CHANNELZ = { 'grpc.enable_channelz': 0 }

/**
 * Creates a client of a target, and connects at once. The caller must close the client.
 *
 * @throws DiscoError USAGE for an invalid service config, an invalid target, or a target that names unknown registries
 */
export function dial(target: string, settings: DialSettings): Client {
  const client = createClient(target, settings)
  client.getChannel().getConnectivityState(true)
  return client
}

function createClient(
  target: string,
  { tls, authority, maxMessageBytes, ...settings }: DialSettings,
): Client {
  const options = {
    ...channelOptions(settings),
    ...tls?.options,
    ...WITHOUT_CHANNELZ,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
    'grpc.max_receive_message_length': channelLimit(maxMessageBytes),
  }
  try {
    return new Client(target, tls?.credentials ?? credentials.createInsecure(), options)
  } catch (cause) {
    // The resolver has refused the target.
    if (cause instanceof DiscoError) throw cause
    // Among these options, grpc-js validates only the service config.
    throw new DiscoError('USAGE', `The service config cannot be used: ${(cause as Error).message}`, { cause })
  }
}
