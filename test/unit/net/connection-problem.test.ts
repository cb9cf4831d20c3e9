import { describe, expect, test } from 'vitest'
import { translate } from '../../../src/etcd/errors.js'
import { connectionProblem, explain } from '../../../src/grpc/connection-problem.js'
import { connectionClause, socketClause } from '../../../src/net/connection-problem.js'

const LINK = { endpoints: ['http://10.0.0.1:2379'], endpointsSource: '--endpoints' }

/** As Node makes it, and as grpc-js hands it on. */
function failure(code: string, message: string) {
  const error: NodeJS.ErrnoException = Object.assign(new Error(message), { code })
  const details = `No connection established. Last error: Error: ${message}. Resolution note: `
  return { error, details, ofEtcd: Object.assign(new Error(`14 UNAVAILABLE: ${details}`), { code: 14 }) }
}

describe('the text of a connection problem is the same for calls, probes and etcd', () => {
  test.each([
    ['ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:2379', 'connection refused'],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.1:2379', 'no route to host'],
    ['ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.1:2379', 'connection timed out'],
  ])('%s', (code, message, clause) => {
    const { error, details, ofEtcd } = failure(code, message)
    expect(socketClause(error)).toBe(clause)
    expect(connectionProblem(details)).toBe(clause)
    expect(translate(ofEtcd, LINK).message).toContain(clause)
  })

  test.each([
    ['write EPROTO: wrong version number', 'speaks plaintext'],
    ['self-signed certificate in certificate chain', 'has a certificate of another CA'],
    ['certificate has expired', 'has a certificate that has expired'],
    ['certificate is not yet valid', 'has a certificate that is not yet valid'],
    [
      "Hostname/IP does not match certificate's altnames: Host: a.b. is not in the cert's altnames: DNS:c.d",
      'has a certificate for DNS:c.d, not for a.b',
    ],
    [
      "Hostname/IP does not match certificate's altnames: IP: 1.2.3.4 is not in the cert's list: ",
      'has a certificate for no IP address, not for 1.2.3.4',
    ],
    ['tlsv13 alert certificate required', 'wants a client certificate'],
    ['Parse Error: Expected HTTP/', 'answers, but not as gRPC'],
  ])('%s', async (message, clause) => {
    const { details, ofEtcd } = failure('', message)
    expect(await explain('10.0.0.1:2379', details, { certFile: undefined })).toContain(clause)
    expect(translate(ofEtcd, LINK).message).toBe(`etcd at 10.0.0.1:2379 ${clause}`)
  })

  test.each([
    ['tlsv1 alert unknown ca', 'does not know the CA of our client certificate'],
    ['sslv3 alert bad certificate', 'wants another client certificate'],
  ])('%s, with a client certificate', async (message, clause) => {
    const { details, ofEtcd } = failure('', message)
    const certFile = '/no/such/file.pem'
    expect(await explain('10.0.0.1:2379', details, { certFile })).toContain(clause)
    expect(translate(ofEtcd, { ...LINK, certFile }).message).toBe(`etcd at 10.0.0.1:2379 ${clause}`)
  })

  test.each([
    ['ECONNRESET', 'read ECONNRESET', 'connection reset'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND nowhere.invalid', 'unknown host'],
    ['ENOENT', 'connect ENOENT /run/hello.sock', 'no such socket'],
  ])('%s of a server', (code, message, clause) => {
    const { error, details } = failure(code, message)
    expect(socketClause(error)).toBe(clause)
    expect(connectionProblem(details)).toBe(clause)
  })
})

test('an error for all addresses of a host is shown by its code, because it has no message', () => {
  const error = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })
  expect(socketClause(error)).toBe('connection refused')
})

test('only calls suggest the flags for TLS to backends', () => {
  const text = 'self-signed certificate in certificate chain'
  expect(connectionClause(text)).toBe('has a certificate of another CA')
  expect(connectionProblem(text)).toBe('has a certificate of another CA (try --tls-ca FILE)')
})
