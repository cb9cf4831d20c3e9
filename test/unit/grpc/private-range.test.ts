import { expect, test } from 'vitest'
import { isPrivate } from '../../../src/grpc/private-range.js'

test.each([
  '127.0.0.1:1',
  '10.9.8.7:1',
  '172.16.0.1:1',
  '172.31.255.255:1',
  '192.168.1.1:1',
  '100.64.0.1:1',
  '169.254.1.1:1',
  '[::1]:1',
  '[fe80::1]:1',
  '[fd00::1]:1',
  'unix:/run/a.sock',
  ':1001',
  'localhost:1',
  'backend:1',
  'Backend.Prod.SVC:1',
  'a.internal:1',
  'a.local:1',
])('%s is in a private network', (addr) => {
  expect(isPrivate(addr)).toBe(true)
})

test.each([
  '8.8.8.8:1',
  '172.32.0.1:1',
  '172.15.0.1:1',
  '192.169.0.1:1',
  '100.128.0.1:1',
  '11.0.0.1:1',
  '[2001:db8::1]:1',
  '[::2]:1',
  'example.com:1',
  'local.example.com:1',
  'notlocal.org:1',
])('%s is not', (addr) => {
  expect(isPrivate(addr)).toBe(false)
})
