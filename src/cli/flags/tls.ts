import { Flags, type Interfaces } from '@oclif/core'
import { textFlag } from './custom.js'

/** TLS to backends; etcd's own flags are --cacert, --cert and --key. */
export const tlsFlags = {
  tls: Flags.boolean({
    helpGroup: 'TLS',
    description: 'backends speak TLS; any other --tls flag says so, too',
  }),
  'tls-ca': textFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: "CA that signed the backends [default: the system's]",
  }),
  'tls-cert': textFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: 'client certificate',
  }),
  'tls-key': textFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: 'key of the client certificate',
  }),
  'tls-name': Flags.string({
    helpGroup: 'TLS',
    helpValue: 'NAME',
    description: "what the backends' certificates are for [default: the service's name]",
  }),
}

export type TlsFlags = Interfaces.InferredFlags<typeof tlsFlags>

export function wantsTls(flags: TlsFlags): boolean {
  const given = [flags['tls-ca'], flags['tls-cert'], flags['tls-key'], flags['tls-name']]
  return flags.tls || given.some((value) => value !== undefined)
}
