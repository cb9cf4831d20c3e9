import { speaksTls } from '../tls/probe.js'

/** What grpc-js, Node and OpenSSL say, and what that means here. */
const MEANINGS: readonly (readonly [said: RegExp, meaning: string])[] = [
  [/ECONNREFUSED/, 'connection refused'],
  [/EHOSTUNREACH|ENETUNREACH/, 'cannot be reached: no route'],
  [/ENOTFOUND|EAI_AGAIN/, 'has a host name that is not known'],
  [/wrong version number|packet length too long|http request/, 'speaks plaintext (leave --tls out)'],
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

/** What stopped a connection, without grpc-js's own wrapping. */
export function inWords(problem: string | null): string {
  if (problem === null) return 'did not answer (the stage that hung: connect)'
  return meaningOf(problem) ?? problem.replace(/^.*Last error: /, '').replace(/\. Resolution note: $/, '')
}

/**
 * The same, where a look at the server can tell more: one that speaks TLS drops a plaintext connection without
 * a word.
 */
export async function explain(addr: string, problem: string | null, usesTls: boolean): Promise<string> {
  const isClear = problem !== null && meaningOf(problem) !== null
  if (!usesTls && !isClear && URL.canParse(`http://${addr}`) && (await speaksTls(`http://${addr}`))) {
    return 'speaks TLS (try --tls)'
  }
  return inWords(problem)
}

function meaningOf(problem: string): string | null {
  const [, wrongName, names] =
    /Host: (.*?)\. is not (?:in the )?cert's (?:altnames|CN): (.*?)(?:\. Resolution|$)/.exec(problem) ?? []
  if (wrongName !== undefined) return `has a certificate for ${names}, not for ${wrongName} (try --tls-name)`
  return MEANINGS.find(([said]) => said.test(problem))?.[1] ?? null
}
