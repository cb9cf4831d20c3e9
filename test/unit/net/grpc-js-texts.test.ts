import { expect, it } from 'vitest'
import { httpStatusOf, isAboutConnection, isAboveLimit, lastError } from '../../../src/net/grpc-js-texts.js'

it.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 1.2.3.4:1. Resolution note: ',
    'connect ECONNREFUSED 1.2.3.4:1',
  ],
  [
    'No connection established. Last error: Error: read ETIMEDOUT (2026-01-02T03:04:05.678Z). Resolution note: ',
    'read ETIMEDOUT',
  ],
  ['round_robin: No connection established. Last error: null. Resolution note: ', null],
  ['No connection established. Last error: . Resolution note: from a cache', null],
  [
    'Name resolution failed for target dns:a:1. Resolution note: none',
    'Name resolution failed for target dns:a:1',
  ],
  ['etcdserver: no leader', 'etcdserver: no leader'],
])('the error in %j is %j', (details, error) => {
  expect(lastError(details)).toBe(error)
})

it.each([
  ['No connection established', true],
  ['14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ', true],
  ['write EPROTO 40B7:error:0A000418:SSL routines:ssl3_read_bytes:alert unknown ca', true],
  ['the server is going down', false],
])('%j is about the connection: %s', (details, is) => {
  expect(isAboutConnection(details)).toBe(is)
})

it('parses the status of an HTTP server, and of no other text', () => {
  expect(httpStatusOf('Received HTTP status code 404')).toBe(404)
  expect(httpStatusOf('I once Received HTTP status code 404')).toBeNull()
})

it('recognizes a reply above our own limit, but not a message of the server about its limit', () => {
  expect(isAboveLimit('Received message larger than max (70000000 vs 67108864)', 67_108_864)).toBe(true)
  expect(isAboveLimit('Received message that decompresses to a size larger than 10', 10)).toBe(true)
  expect(isAboveLimit('Received message larger than max (5000000 vs 4194304)', 67_108_864)).toBe(false)
  expect(isAboveLimit('no stock', 0)).toBe(false)
})
