import { Flags, type Interfaces } from '@oclif/core'
import { hostPort, type ListenAddress, readAddress, withoutSecrets } from '../../domain/address.js'
import type { PemFiles } from '../../grpc/backend-tls.js'
import { fileFlag, readBy } from './custom.js'
import { sourceOf } from './standard-input.js'

/** An address to listen at: `HOST:PORT`, `:PORT` or `PORT`. Without a host, only this machine can connect. */
export const listenFlag = Flags.custom<ListenAddress>({
  helpValue: '[HOST]:PORT',
  defaultHelp: async ({ options }) => {
    return hostPort(options.default as ListenAddress)
  },
  parse: readBy(
    readListenAddress,
    'a TCP address to listen at with a port up to 65535, such as :9001 or 127.0.0.1:9001',
    withoutSecrets,
  ),
})

function readListenAddress(text: string): ListenAddress | undefined {
  const whole = /^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text
  const isAnyPort = whole.endsWith(':0')
  const address = readAddress(isAnyPort ? whole.replace(/0$/, '1') : whole)
  if ('problem' in address || address.kind !== 'tcp') return undefined
  return { host: address.host, port: isAnyPort ? 0 : address.port }
}

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

/** The files that the flags name. Standard input is not read, so that errors about flags come before the wait for it. */
export function listenerTlsNames(flags: ListenerTlsFlags) {
  return { caFile: flags['listen-client-ca'], certFile: flags['listen-cert'], keyFile: flags['listen-key'] }
}

/** @throws DiscoError USAGE if standard input cannot be read */
export async function listenerTlsFiles(names: ReturnType<typeof listenerTlsNames>): Promise<PemFiles> {
  return {
    caFile: await sourceOf(names.caFile),
    certFile: await sourceOf(names.certFile),
    keyFile: await sourceOf(names.keyFile),
  }
}
