import { speaksPlaintext, speaksTls } from '../tls/probe.js'

const PLAINTEXT = 'speaks plaintext (leave --tls out)'

/** What grpc-js, Node and OpenSSL say, and what that means here. */
const MEANINGS: readonly (readonly [said: RegExp, meaning: string])[] = [
  [/ECONNREFUSED/, 'connection refused'],
  [/EHOSTUNREACH|ENETUNREACH/, 'cannot be reached: no route'],
  [/ENOTFOUND|EAI_AGAIN/, 'has a host name that is not known'],
  [/wrong version number|packet length too long|http request/, PLAINTEXT],
  [/certificate has expired/, 'has a certificate that has expired'],
  [
    /unable to verify|unable to get (local )?issuer|self[- ]signed certificate/,
    'has a certificate of another CA (try --tls-ca FILE)',
  ],
  [
    /alert (certificate required|bad certificate|handshake failure)/,
    'wants a client certificate, or another one (--tls-cert, --tls-key)',
  ],
  [/alert unknown ca/, 'does not know the CA of our client certificate (--tls-cert)'],
]

/** As Node says it of a host name, and of an address. */
const WRONG_NAME =
  /(?:Host|IP): (.*?)\.? is not (?:in )?(?:the )?cert's (?:altnames|CN|list): (.*?)(?:\. Resolution|$)/

/** What stopped a connection, without grpc-js's own wrapping. */
export function inWords(problem: string | null): string {
  if (problem === null) return 'did not answer (the stage that hung: connect)'
  return meaningOf(problem) ?? problem.replace(/^.*Last error: /, '').replace(/\. Resolution note: $/, '')
}

/**
 * The same, where a look at the server can tell more: one that speaks TLS drops a plaintext connection without
 * a word, and one that does not may drop a TLS connection so.
 */
export async function explain(addr: string, problem: string | null, usesTls: boolean): Promise<string> {
  const isClear = problem !== null && meaningOf(problem) !== null
  const url = `http://${addr}`
  if (!isClear && URL.canParse(url)) {
    if (!usesTls && (await speaksTls(url))) return 'speaks TLS (try --tls)'
    if (usesTls && (await speaksPlaintext(url))) return PLAINTEXT
  }
  return inWords(problem)
}

function meaningOf(problem: string): string | null {
  const [, wrongName, names] = WRONG_NAME.exec(problem) ?? []
  if (wrongName !== undefined) return `has a certificate for ${names}, not for ${wrongName} (try --tls-name)`
  return MEANINGS.find(([said]) => said.test(problem))?.[1] ?? null
}
