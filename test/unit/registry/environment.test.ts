import { describe, expect, it, test } from 'vitest'
import type { NamedFile } from '../../../src/domain/file-source.js'
import { withEnvironment } from '../../../src/registry/environment.js'
import type { RegistryOptions } from '../../../src/registry/registry.js'

const DISCO = {
  DISCO_ENDPOINTS: 'disco:1,disco:2',
  DISCO_CACERT: 'disco.ca',
  DISCO_CERT: 'disco.crt',
  DISCO_KEY: 'disco.key',
  DISCO_USER: 'disco-user',
  DISCO_PASSWORD: 'disco-secret',
  DISCO_DIAL_TIMEOUT: '2s',
  DISCO_COMMAND_TIMEOUT: '20s',
  DISCO_LAYOUT: 'kratos',
  DISCO_ROOT: '/staging',
}

const ETCDCTL = {
  ETCDCTL_ENDPOINTS: 'etcdctl:1',
  ETCDCTL_CACERT: 'etcdctl.ca',
  ETCDCTL_CERT: 'etcdctl.crt',
  ETCDCTL_KEY: 'etcdctl.key',
  ETCDCTL_USER: 'etcdctl-user:etcdctl-secret',
  ETCDCTL_DIAL_TIMEOUT: '3s',
  ETCDCTL_COMMAND_TIMEOUT: '30s',
}

describe('a program that passes no endpoints', () => {
  const fromDisco = {
    endpoints: ['disco:1', 'disco:2'],
    endpointsSource: 'DISCO_ENDPOINTS',
    caFile: { path: 'disco.ca', source: 'DISCO_CACERT' },
    certFile: { path: 'disco.crt', source: 'DISCO_CERT' },
    keyFile: { path: 'disco.key', source: 'DISCO_KEY' },
    user: 'disco-user',
    password: 'disco-secret',
    dialTimeoutMs: 2_000,
    commandTimeoutMs: 20_000,
    layout: 'kratos',
    root: '/staging',
  }
  const fromEtcdctl = {
    endpoints: ['etcdctl:1'],
    endpointsSource: 'ETCDCTL_ENDPOINTS',
    caFile: { path: 'etcdctl.ca', source: 'ETCDCTL_CACERT' },
    certFile: { path: 'etcdctl.crt', source: 'ETCDCTL_CERT' },
    keyFile: { path: 'etcdctl.key', source: 'ETCDCTL_KEY' },
    user: 'etcdctl-user',
    password: 'etcdctl-secret',
    dialTimeoutMs: 3_000,
    commandTimeoutMs: 30_000,
    layout: 'seed',
    root: '',
  }
  const byDefault = {
    endpoints: ['127.0.0.1:2379'],
    endpointsSource: 'the default',
    layout: 'seed',
    root: '',
  }
  const empty = Object.fromEntries(Object.keys(DISCO).map((name) => [name, '']))

  test.each([
    ['DISCO_* over ETCDCTL_*', { ...ETCDCTL, ...DISCO }, fromDisco],
    ['ETCDCTL_* over the default', ETCDCTL, fromEtcdctl],
    ['ETCDCTL_* in the place of an empty DISCO_*', { ...ETCDCTL, ...empty }, fromEtcdctl],
    ['the default without any', {}, byDefault],
  ])('takes %s', (_what, env, options) => {
    expect(withEnvironment({}, env)).toEqual(options)
    expect(withEnvironment({ endpoints: undefined }, env)).toEqual(options)
  })

  const credentials = (env: Readonly<Record<string, string>>) => {
    const { user, password, caFile, certFile } = withEnvironment({}, env) as RegistryOptions
    const files = [caFile, certFile].map((file) => file && (file as NamedFile).path)
    return [user, password, ...files]
  }

  it('ignores credentials of ETCDCTL_* if ETCDCTL_ENDPOINTS names another cluster than DISCO_ENDPOINTS', () => {
    const own = { DISCO_ENDPOINTS: 'disco:1' }
    expect(credentials({ ...ETCDCTL, ...own })).toEqual([undefined, undefined, undefined, undefined])
    expect(credentials({ ...ETCDCTL, ...own, DISCO_USER: 'a:b' })).toEqual(['a', 'b', undefined, undefined])
    const all = ['etcdctl-user', 'etcdctl-secret', 'etcdctl.ca', 'etcdctl.crt']
    // The same cluster, in another order, or by one variable alone.
    const same = { ETCDCTL_ENDPOINTS: 'a:1,b:1', DISCO_ENDPOINTS: 'b:1,a:1' }
    expect(credentials({ ...ETCDCTL, ...same })).toEqual(all)
    expect(credentials({ ...ETCDCTL, ...own, ETCDCTL_ENDPOINTS: '' })).toEqual(all)
    expect(withEnvironment({}, { ...ETCDCTL, ...own })).toMatchObject({ commandTimeoutMs: 30_000 })
  })

  it('reads user and password from variables with the same prefix', () => {
    const [user, password] = credentials({ DISCO_USER: 'disco-user', ETCDCTL_PASSWORD: 'x' })
    expect([user, password]).toEqual(['disco-user', undefined])
    expect(credentials({ ETCDCTL_USER: 'a:b', DISCO_PASSWORD: 'x' }).slice(0, 2)).toEqual(['a', 'b'])
  })

  it('prefers its own layout, root and timeouts over the environment', () => {
    const own = { layout: 'seed', root: '', dialTimeoutMs: 7, commandTimeoutMs: 8 }
    expect(withEnvironment(own, DISCO)).toEqual({ ...fromDisco, ...own })
  })

  test.each([
    { caFile: 'own.ca' },
    { certFile: 'own.crt' },
    { keyFile: 'own.key' },
    { user: 'me' },
    { password: 'hunter2' },
    { passwordFile: 'own.secret' },
  ])('may not pass credentials: %j', (own) => {
    const [name] = Object.keys(own)
    expect(() => withEnvironment(own, DISCO)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: `The option ${name} is given without the option endpoints`,
      }),
    )
  })

  test.each([
    [
      { DISCO_DIAL_TIMEOUT: 'soon' },
      'Invalid DISCO_DIAL_TIMEOUT "soon": expected a duration such as 5s or 2m',
    ],
    [{ ETCDCTL_COMMAND_TIMEOUT: '0' }, 'Invalid ETCDCTL_COMMAND_TIMEOUT "0"'],
    [{ DISCO_COMMAND_TIMEOUT: '597h' }, 'Invalid DISCO_COMMAND_TIMEOUT "597h": expected at most 596h'],
    [{ DISCO_CACERT: '-' }, 'DISCO_CACERT is "-": a variable names a file, not standard input'],
    [{ ETCDCTL_KEY: '-', ETCDCTL_CERT: 'x' }, 'ETCDCTL_KEY is "-": a variable names a file'],
    [{ DISCO_LAYOUT: 'seed=/x' }, 'The layout seed from DISCO_LAYOUT has no prefix of its own'],
    [{ DISCO_LAYOUT: 'kratoss' }, 'Unknown layout "kratoss" from DISCO_LAYOUT'],
    [{ DISCO_ROOT: '/a\n' }, 'The root "/a\n" from DISCO_ROOT has control characters'],
    [{ ETCDCTL_CERT: 'a.crt' }, 'ETCDCTL_CERT is set, but neither DISCO_KEY nor ETCDCTL_KEY is'],
    [{ DISCO_KEY: 'a.key' }, 'DISCO_KEY is set, but neither DISCO_CERT nor ETCDCTL_CERT is'],
  ])('gets an error that names the variable: %j', (env, message) => {
    expect(() => withEnvironment({}, env)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    )
  })
})

describe('a program that passes endpoints', () => {
  test.each([{}, { user: 'me', password: 'own', caFile: 'own.ca' }])(
    'takes no variable at all: %j',
    (own) => {
      const options = { endpoints: ['own:1'], ...own }
      const broken = { ...ETCDCTL, ...DISCO, DISCO_LAYOUT: 'nope', DISCO_DIAL_TIMEOUT: 'soon' }
      expect(withEnvironment(options, broken)).toEqual({
        ...options,
        endpointsSource: 'the option endpoints',
      })
    },
  )
})
