import { Flags, type Interfaces } from '@oclif/core'
import type { BackendTls, PemFiles, Renewable } from '../../grpc/backend-tls.js'
import { fileFlag, textFlag } from './custom.js'
import { sourceOf } from './standard-input.js'

/** TLS to backends. The flags for etcd are --cacert, --cert and --key. */
export const tlsFlags = {
  tls: Flags.boolean({
    helpGroup: 'TLS',
    description: 'use TLS to the backends; implied by the other --tls flags',
  }),
  'tls-ca': fileFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: "CA that signed the backends [default: the system's]",
  }),
  'tls-cert': fileFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: 'client certificate',
  }),
  'tls-key': fileFlag({
    helpGroup: 'TLS',
    helpValue: 'FILE|-',
    description: 'key of the client certificate',
  }),
  'tls-name': textFlag({
    helpGroup: 'TLS',
    helpValue: 'NAME',
    description: "name in the certificates of the backends [default: the service's name]",
  }),
}

export type TlsFlags = Interfaces.InferredFlags<typeof tlsFlags>

export function wantsTls(flags: TlsFlags): boolean {
  const given = [flags['tls-ca'], flags['tls-cert'], flags['tls-key'], flags['tls-name']]
  return flags.tls || given.some((value) => value !== undefined)
}

/** @throws DiscoError USAGE if standard input cannot be read */
export async function tlsFiles(flags: TlsFlags): Promise<PemFiles> {
  return {
    caFile: await sourceOf(flags['tls-ca']),
    certFile: await sourceOf(flags['tls-cert']),
    keyFile: await sourceOf(flags['tls-key']),
  }
}

/** Undefined if no flag asks for TLS. @throws DiscoError USAGE for files that cannot be used */
export async function backendTls(flags: TlsFlags): Promise<Renewable<BackendTls> | undefined> {
  if (!wantsTls(flags)) return undefined
  const { openBackendTls } = await import('../../grpc/backend-tls.js')
  return await openBackendTls(await tlsFiles(flags), flags['tls-name'])
}
