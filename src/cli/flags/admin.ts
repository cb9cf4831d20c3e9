import type { Interfaces } from '@oclif/core'
import type { ListenAddress } from '../../domain/address.js'
import { isLoopback } from '../../domain/address.js'
import { DiscoError } from '../../domain/errors.js'
import type { NamedFile } from '../../domain/file-source.js'
import { fileFlag } from './custom.js'
import { listenFlag } from './listen.js'
import { inputName, readText } from './standard-input.js'

const EXAMPLE = '--admin 127.0.0.1:9001'

export const adminFlags = {
  admin: listenFlag({
    helpGroup: 'ADMIN',
    description: 'serve GET /, /weight, /healthz, /metrics, PUT /weight?weight=N and POST /drain here',
  }),
  'admin-token-file': fileFlag({
    helpGroup: 'ADMIN',
    helpValue: 'FILE|-',
    description: 'file with the required bearer token; needed if other machines can connect',
  }),
}

export interface AdminPlan extends ListenAddress {
  /** The bearer token that requests must carry; null if they need no token. */
  readonly token: string | null
}

/** The address and the token of the admin handler; null without --admin. @throws DiscoError USAGE */
export async function planAdmin({
  admin,
  'admin-token-file': file,
}: Partial<Interfaces.InferredFlags<typeof adminFlags>>): Promise<AdminPlan | null> {
  if (admin === undefined) {
    if (file === undefined) return null
    throw new DiscoError('USAGE', '--admin-token-file needs --admin', { suggestions: [`Such as ${EXAMPLE}`] })
  }
  const token = file === undefined ? null : await readToken(file)
  if (token !== null || isLoopback(admin.host)) return { ...admin, token }
  throw new DiscoError('USAGE', `--admin needs --admin-token-file: other machines can reach ${admin.host}`, {
    suggestions: ['Give a token: --admin-token-file FILE', `Or listen on this machine only: ${EXAMPLE}`],
  })
}

async function readToken(file: NamedFile): Promise<string> {
  const token = (await readText(file)).trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new DiscoError(
    'USAGE',
    `The token in ${inputName(file)} is empty, or has spaces or other characters inside`,
  )
}
