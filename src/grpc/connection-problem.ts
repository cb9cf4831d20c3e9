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

/** Meanings that leave a cause open, which a look at the server may tell. */
const VAGUE: readonly (readonly [said: RegExp, meaning: string])[] = [
  [/ECONNRESET|EPIPE|socket hang up/, 'connection reset'],
  [/ETIMEDOUT/, 'did not answer in time'],
  [/EMFILE|ENFILE/, 'too many open files (ulimit -n)'],
]

/** As Node says it of a host name, and of an address. */
const WRONG_NAME =
  /(?:Host|IP): (.*?)\.? is not (?:in )?(?:the )?cert's (?:altnames|CN|list): (.*?)(?:\. Resolution|$)/

/** Of a server from which nothing was heard at all while its connection was waited for. */
export const NO_ANSWER = 'did not answer (the stage that hung: connect)'

/**
 * What stopped a connection, without grpc-js's own wrapping. Where grpc-js knows no cause, the connection was there
 * and is closed: that is not a server that does not answer.
 */
export function inWords(problem: string): string {
  const said = problem.replace(/^.*Last error: /s, '').replace(/\. Resolution note: .*$/s, '')
  if (said === '' || said === 'null') return 'connection closed'
  return meaningOf(said) ?? VAGUE.find(([pattern]) => pattern.test(said))?.[1] ?? said
}

/** Whether the system refused to open one more file, which is no fault of the server's. */
export function isDescriptorLimit(problem: string): boolean {
  return /\b(EMFILE|ENFILE)\b/.test(problem)
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
  return problem === null ? NO_ANSWER : inWords(problem)
}

function meaningOf(problem: string): string | null {
  const [, wrongName, names] = WRONG_NAME.exec(problem) ?? []
  if (wrongName !== undefined) return `has a certificate for ${names}, not for ${wrongName} (try --tls-name)`
  return MEANINGS.find(([said]) => said.test(problem))?.[1] ?? null
}
