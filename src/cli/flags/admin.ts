import { readFile } from 'node:fs/promises'
import { Flags } from '@oclif/core'
import { isLoopback, parseAddress } from '../../domain/address.js'
import { withoutMark } from '../../domain/byte-order-mark.js'
import { DiscoError } from '../../domain/errors.js'
import { fileName } from './custom.js'

export const adminFlags = {
  admin: Flags.string({
    helpGroup: 'ADMIN',
    helpValue: '[HOST]:PORT',
    description: 'serve GET /, /weight, /healthz, /metrics, PUT /weight?weight=N and POST /drain here',
  }),
  'admin-token-file': Flags.string({
    parse: fileName,
    helpGroup: 'ADMIN',
    helpValue: 'FILE',
    description: 'file with the bearer token to ask for; needed where other machines can ask',
  }),
}

interface AdminFlags {
  readonly admin?: string | undefined
  readonly 'admin-token-file'?: string | undefined
}

export interface AdminPlan {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly token: string | null
}

const EXAMPLE = '--admin 127.0.0.1:9001'

/** Where the admin handler listens and what it asks for; null without --admin. @throws DiscoError USAGE */
export async function planAdmin(flags: AdminFlags): Promise<AdminPlan | null> {
  const file = flags['admin-token-file']
  if (flags.admin === undefined) {
    if (file === undefined) return null
    throw new DiscoError('USAGE', '--admin-token-file needs --admin', { suggestions: [`Such as ${EXAMPLE}`] })
  }
  const { host, port } = parseListen(flags.admin)
  const token = file === undefined ? null : await readToken(file)
  if (token !== null || isLoopback(host)) return { host, port, token }
  throw new DiscoError('USAGE', `${host} can be reached from other machines: who may change weights there?`, {
    suggestions: ['Give a token to ask for: --admin-token-file FILE', `Or stay on this machine: ${EXAMPLE}`],
  })
}

/** Only on this machine unless told otherwise: `:9001` and `9001` are on its loopback address. */
function parseListen(text: string): { host: string; port: number } {
  const whole = /^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text
  const isAnyPort = whole.endsWith(':0')
  const address = parseAddress(isAnyPort ? whole.replace(/0$/, '1') : whole, EXAMPLE)
  if (address.kind === 'tcp') return { host: address.host, port: isAnyPort ? 0 : address.port }
  throw new DiscoError('USAGE', 'The admin handler listens on a TCP port', {
    suggestions: [`Such as ${EXAMPLE}`],
  })
}

async function readToken(file: string): Promise<string> {
  let token: string
  try {
    token = withoutMark(await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new DiscoError('USAGE', `Cannot read the token file: ${(cause as Error).message}`, { cause })
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new DiscoError('USAGE', `The token in ${file} is empty, or has spaces or other characters inside`)
}
