import type { ConnectionOptions } from 'node:tls'
import { explain } from '../../grpc/connection-problem.js'
import { Deadline } from '../../grpc/deadline.js'
import type { Headers } from '../../grpc/protocol.js'
import { CLIENT_CERTIFICATE_FLAGS, clientTls } from '../../net/client-tls.js'
import { connectionFailure } from '../../net/connection-failure.js'
import { CONNECTION_CLAUSES, noAnswerIn } from '../../net/connection-problem.js'
import { type PemFiles, type Pems, readPems, renewable } from '../../net/files.js'
import { healthy, type Probe, type Probed, unhealthy } from './probes.js'

export interface HttpProbeSettings {
  readonly headers: Headers
  /** The Host header. Default: the host of the URL. */
  readonly authority: string | undefined
  /** For https: a private CA instead of the system's, and a client certificate. Read again after a failure. */
  readonly files: PemFiles
  /** The name that the server's certificate must have. Default: the host of the URL. */
  readonly tlsName: string | undefined
}

const SCHEMES = { toTls: '(try https://)', toPlaintext: '(try http://)' }

/**
 * Creates a probe that is healthy if a GET answers 200 to 399. Redirects are not followed, and no body is read.
 *
 * @throws DiscoError USAGE for files that cannot be used
 */
export async function httpProbe(url: URL, settings: HttpProbeSettings): Promise<Probe> {
  const { files } = settings
  const pems = await renewable(() => readPems(files, CLIENT_CERTIFICATE_FLAGS))
  const isTls = url.protocol === 'https:'
  return async (deadlineMs) => {
    using deadline = new Deadline(deadlineMs)
    const { signal } = deadline
    const late = unhealthy(noAnswerIn(deadlineMs))
    const answer = await get(url, settings, pems.current, signal).catch(
      (error: NodeJS.ErrnoException) => error,
    )
    if (!(answer instanceof Error)) return answer
    if (signal.aborted) return late
    await pems.renew()
    const expired = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null)))
    const cause = await Promise.race([
      causeOf(answer, url, isTls ? { certFile: files.certFile } : undefined),
      expired,
    ])
    return cause === null ? late : { ...unhealthy(cause), isRefused: answer.code === 'ECONNREFUSED' }
  }
}

/** Sends a GET. Rejects with Node's error if the connection fails. */
async function get(
  url: URL,
  { headers, authority, tlsName }: HttpProbeSettings,
  pems: Pems | null,
  signal: AbortSignal,
): Promise<Probed> {
  const isTls = url.protocol === 'https:'
  const { request: start } = isTls ? await import('node:https') : await import('node:http')
  return await new Promise((resolve, reject) => {
    const request = start(url, {
      ...(isTls ? tlsOptions(url, pems, tlsName) : {}),
      agent: false,
      signal,
      headers: { 'user-agent': 'disco-probe', ...(authority === undefined ? {} : { host: authority }) },
    })
    for (const [name, value] of byName(headers)) request.setHeader(name, value)
    request.once('response', (response) => {
      const { statusCode = 0, statusMessage = '' } = response
      // Only the status counts: errors while the body arrives are ignored.
      response.on('error', () => undefined).destroy()
      const detail = `HTTP ${statusCode} ${statusMessage}`.trimEnd()
      resolve(statusCode >= 200 && statusCode < 400 ? healthy(detail) : unhealthy(detail))
    })
    request.once('error', reject)
    request.end()
  })
}

/** Header values by name: a string if there is only one, because Node accepts no array for some names. */
function byName(headers: Headers): ReadonlyMap<string, string | string[]> {
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), value])
  return new Map([...values].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]))
}

/** Node would take the name of the server from the Host header. */
function tlsOptions(url: URL, pems: Pems | null, tlsName: string | undefined): ConnectionOptions {
  return clientTls(pems, tlsName ?? url.hostname.replace(/^\[|\]$/g, ''))
}

async function causeOf(
  { code = '', message }: NodeJS.ErrnoException,
  { host }: URL,
  tls: { readonly certFile: PemFiles['certFile'] } | undefined,
): Promise<string> {
  // If a host has several addresses and all fail, Node's error has a code and an empty message.
  const text = message.trim() === '' ? code : message
  if (connectionFailure(text) === 'not-grpc') return CONNECTION_CLAUSES['not-http']
  return await explain(host, text, tls, SCHEMES)
}
