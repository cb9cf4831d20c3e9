import type { Interfaces } from '@oclif/core'
import type { PemFiles } from '../../grpc/backend-tls.js'
import { fileFlag } from './custom.js'
import { sourceOf } from './standard-input.js'

/** The TLS certificate of a listener. @param peers what connects to it, in the plural */
export function listenerTlsFlags(peers: string) {
  return {
    'listen-cert': fileFlag({
      helpGroup: 'TLS',
      helpValue: 'FILE|-',
      description: `certificate for ${peers}; SIGHUP reads it again`,
    }),
    'listen-key': fileFlag({
      helpGroup: 'TLS',
      helpValue: 'FILE|-',
      description: 'key of that certificate',
    }),
    'listen-client-ca': fileFlag({
      helpGroup: 'TLS',
      helpValue: 'FILE|-',
      description: `CA that must have signed the certificates of ${peers}`,
    }),
  }
}

export type ListenerTlsFlags = Interfaces.InferredFlags<ReturnType<typeof listenerTlsFlags>>

/** @throws DiscoError USAGE if standard input cannot be read */
export async function listenerTlsFiles(flags: ListenerTlsFlags): Promise<PemFiles> {
  return {
    caFile: await sourceOf(flags['listen-client-ca']),
    certFile: await sourceOf(flags['listen-cert']),
    keyFile: await sourceOf(flags['listen-key']),
  }
}
