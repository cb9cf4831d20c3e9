import { describe, expect, test } from 'vitest'
import {
  connectionFailure,
  socketFailure,
  wrongCertificateName,
} from '../../../src/net/connection-failure.js'
import { bareReason } from '../../../src/net/connection-problem.js'

const opensslText = (reason: string, alert: number) =>
  'No connection established. Last error: Error: write EPROTO ' +
  `40B7A5E0C87F0000:error:0A000418:SSL routines:ssl3_read_bytes:${reason}:` +
  `../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1590:SSL alert number ${alert}\n. Resolution note: `

describe('the text of a connection failure', () => {
  test.each([
    ['tlsv1 alert unknown ca', 48, 'client-certificate-of-another-ca'],
    ['sslv3 alert certificate expired', 45, 'client-certificate-expired'],
    ['sslv3 alert bad certificate', 42, 'client-certificate-not-accepted'],
    ['tlsv13 alert certificate required', 116, 'client-certificate-not-accepted'],
    ['wrong version number', 0, 'server-speaks-plaintext'],
  ])('names %s', (reason, alert, failure) => {
    expect(connectionFailure(opensslText(reason, alert))).toBe(failure)
  })

  test('distinguishes a server that closes the connection from one that speaks plaintext', () => {
    const dropped = 'Client network socket disconnected before secure TLS connection was established'
    expect(connectionFailure(dropped)).toBe('tls-dropped')
    expect(connectionFailure('No connection established. Last error: Failed to connect')).toBe('dropped')
  })

  test.each([
    [opensslText('tlsv1 alert internal error', 80), 'the TLS handshake failed (alert internal error)'],
    ['No connection established. Last error: null. Resolution note: ', 'connection closed'],
    [
      'No connection established. Last error: Error: read ETIMEDOUT (2026-01-02T03:04:05.678Z). Resolution note: ',
      'read ETIMEDOUT',
    ],
    ['Error: read ETIMEDOUT (2026-01-02T03:04:05.678Z)', 'Error: read ETIMEDOUT'],
    ['etcdserver: no leader', 'etcdserver: no leader'],
  ])('is reduced to its reason: %#', (text, reason) => {
    expect(connectionFailure(text)).toBeNull()
    expect(bareReason(text)).toBe(reason)
  })
})

test.each([
  ['read ECONNRESET', 'reset'],
  ['write EPIPE', 'reset'],
  ['socket hang up', 'reset'],
  ['connect ETIMEDOUT 1.2.3.4:1', 'timed-out'],
  ['connect EMFILE 1.2.3.4:1 - Local (undefined:undefined)', 'no-descriptors'],
  ['connect ECONNREFUSED 1.2.3.4:1', null],
  ['the EMFILES of another', null],
])('the failure of a socket in %j is %s', (text, failure) => {
  expect(socketFailure(text)).toBe(failure)
})

test.each([
  [
    "Hostname/IP does not match certificate's altnames: Host: a.b. is not in the cert's altnames: DNS:c.d",
    { wanted: 'a.b', has: 'DNS:c.d' },
  ],
  [
    "Hostname/IP does not match certificate's altnames: IP: 1.2.3.4 is not in the cert's list: 1.2.3.5",
    { wanted: '1.2.3.4', has: '1.2.3.5' },
  ],
  ['certificate has expired', null],
])('the names in %j', (text, names) => {
  expect(wrongCertificateName(text)).toEqual(names)
})
