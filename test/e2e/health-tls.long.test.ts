import { tlsVerdicts } from '../support/tls-verdicts.js'

const tls = await tlsVerdicts()

tls.describe([
  ['TLS to plaintext', 'plain', () => ['--tls'], 'speaks plaintext (leave --tls out)'],
  [
    'another CA',
    'tls',
    () => ['--tls-ca', tls.servers.stranger.caFile],
    'has a certificate of another CA (try --tls-ca FILE)',
  ],
  ["the system's CAs", 'tls', () => ['--tls'], 'has a certificate of another CA (try --tls-ca FILE)'],
  [
    'a wrong address',
    'tls',
    () => [...tls.ca(), '--tls-name', '127.0.0.2'],
    'has a certificate for no IP address, not for 127.0.0.2 (try --tls-name)',
  ],
  ['an expired certificate', 'past', tls.ca, 'has a certificate that has expired'],
  [
    'a client certificate that has expired',
    'mutual',
    () => tls.mutual(tls.servers.clients.expired),
    'refuses our client certificate: it has expired (--tls-cert)',
  ],
  [
    'a client certificate of another CA',
    'mutual',
    () => tls.mutual(tls.servers.clients.foreign),
    'drops the TLS connection: it may want a client certificate, or another one (--tls-cert, --tls-key)',
  ],
])
