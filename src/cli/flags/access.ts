import type { Interfaces } from '@oclif/core'
import type { ServerAccess } from '../../agent/health/survey.js'
import { headerFlags, readHeaders } from './headers.js'
import { backendTls, tlsFlags } from './tls.js'

/** The access to servers for health checks: the same flags as for calls. */
export const accessFlags = { ...headerFlags, ...tlsFlags }

export type AccessFlags = Interfaces.InferredFlags<typeof accessFlags>

/** Flags to refuse if no server is checked. */
export const ACCESS_NAMES = Object.keys(accessFlags)

/** @throws DiscoError USAGE for files that cannot be used, or an invalid header */
export async function accessOf(flags: AccessFlags): Promise<ServerAccess> {
  return {
    headers: await readHeaders(flags.header),
    authority: flags.authority,
    tls: await backendTls(flags),
  }
}
