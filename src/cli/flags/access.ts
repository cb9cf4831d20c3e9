import type { Interfaces } from '@oclif/core'
import type { ServerAccess } from '../../agent/health/survey.js'
import { headerFlags, readHeaders } from './headers.js'
import { backendTls, tlsFlags } from './tls.js'

/** How servers are asked for their health: the same flags as of calls. */
export const accessFlags = { ...headerFlags, ...tlsFlags }

export type AccessFlags = Interfaces.InferredFlags<typeof accessFlags>

/** To be refused where no server is asked. */
export const ACCESS_NAMES = Object.keys(accessFlags)

/** @throws DiscoError USAGE for files that cannot be used, or an invalid header */
export async function accessOf(flags: AccessFlags): Promise<ServerAccess> {
  return {
    headers: await readHeaders(flags.header),
    authority: flags.authority,
    tls: await backendTls(flags),
  }
}
