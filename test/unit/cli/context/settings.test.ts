import { describe, expect, it } from 'vitest'
import { connectionSettings, etcdOptions, placeOf } from '../../../../src/cli/config.js'
import { settingsDoc } from '../../../../src/cli/context/document.js'
import type { Layers } from '../../../../src/cli/context/layers.js'
import { productionLabel } from '../../../../src/cli/context/settings.js'
import type { Context } from '../../../../src/config/contexts.js'
import type { Project } from '../../../../src/config/project.js'
import type { ContextSettings } from '../../../../src/config/settings.js'

/** Every setting, each with a different value. */
function settings(of: string, timeMs: number): ContextSettings {
  return {
    endpoints: [`${of}:1`],
    cacert: `/${of}.ca`,
    cert: `/${of}.crt`,
    key: `/${of}.key`,
    user: of,
    password: `secret of ${of}`,
    root: `/${of}`,
    layout: 'kratos',
    'dial-timeout': timeMs,
    'command-timeout': timeMs,
  }
}

function context(name: string, own: ContextSettings): Context {
  return { label: `context ${name}`, name, file: '/config.yaml', settings: own }
}

const named = context('named', settings('named', 1_000))
const chosen = context('chosen', settings('chosen', 2_000))
const project: Project = {
  label: '/p/.disco.yaml',
  name: null,
  file: '/p/.disco.yaml',
  context: null,
  settings: { ...settings('project', 3_000), password: undefined, 'password-file': '/p/secret' },
}
const place: Project = { ...project, settings: { root: '/of-project', layout: 'ego' } }

function variables(prefix: 'DISCO' | 'ETCDCTL'): Record<string, string> {
  const of = prefix.toLowerCase()
  return {
    [`${prefix}_ENDPOINTS`]: `${of}:1`,
    [`${prefix}_CACERT`]: `${of}.ca`,
    [`${prefix}_CERT`]: `${of}.crt`,
    [`${prefix}_KEY`]: `${of}.key`,
    [`${prefix}_USER`]: of,
    [`${prefix}_PASSWORD`]: `secret of ${of}`,
    [`${prefix}_DIAL_TIMEOUT`]: '5s',
    [`${prefix}_COMMAND_TIMEOUT`]: '5s',
  }
}

const DISCO = { ...variables('DISCO'), DISCO_ROOT: '/disco', DISCO_LAYOUT: 'etcd' }
const ETCDCTL = variables('ETCDCTL')
const file = (path: string, source: string) => ({ path, source })

const FLAGS = {
  endpoints: ['flag:1'],
  user: 'flag',
  cacert: file('flag.ca', '--cacert'),
  cert: file('flag.crt', '--cert'),
  key: file('flag.key', '--key'),
  'password-file': file('flag.secret', '--password-file'),
  'dial-timeout': 7_000,
  'command-timeout': 7_000,
  root: '/flag',
  layout: 'seed',
}

const layers = (some: Partial<Layers>): Layers => ({
  flags: {},
  named: null,
  env: {},
  project: null,
  chosen: null,
  warnings: [],
  ...some,
})

/** The settings and their sources, in the order of the table: value, source. */
async function shown(some: Partial<Layers>): Promise<Record<string, [string | null, string | null]>> {
  const all = layers(some)
  const doc = settingsDoc(all, await connectionSettings(all), placeOf(all, 'auto'))
  return Object.fromEntries(doc.settings.map(({ setting, value, source }) => [setting, [value, source]]))
}

describe('the precedence of sources', () => {
  it.each<
    [by: string, some: Partial<Layers>, endpoints: string, source: string, root: string, rootSource: string]
  >([
    ['the default', {}, '127.0.0.1:2379', 'the default', '', ''],
    ['the context in use', { chosen }, 'chosen:1', 'context chosen', '/chosen', 'context chosen'],
    ['a project', { project }, 'project:1', '/p/.disco.yaml', '/project', '/p/.disco.yaml'],
    ['ETCDCTL_*', { env: ETCDCTL, project }, 'etcdctl:1', 'ETCDCTL_ENDPOINTS', '/project', '/p/.disco.yaml'],
    [
      'DISCO_*',
      { env: { ...ETCDCTL, ...DISCO }, project },
      'disco:1',
      'DISCO_ENDPOINTS',
      '/disco',
      'DISCO_ROOT',
    ],
    [
      '-C',
      { named, env: { ...ETCDCTL, ...DISCO }, project },
      'named:1',
      'context named',
      '/named',
      'context named',
    ],
    ['a flag', { flags: FLAGS, named, env: DISCO, project }, 'flag:1', '--endpoints', '/flag', '--root'],
  ])('%s', async (_, some, endpoints, source, root, rootSource) => {
    const found = await shown(some)
    expect(found.endpoints).toEqual([endpoints, source])
    expect(found.root).toEqual([root || null, rootSource || null])
  })

  it('applies to timeouts, layout and root, each by itself', async () => {
    const env = { ETCDCTL_DIAL_TIMEOUT: '4s', DISCO_LAYOUT: 'etcd' }
    expect(await shown({ chosen, project: place, env })).toMatchObject({
      'dial-timeout': ['4s', 'ETCDCTL_DIAL_TIMEOUT'],
      'command-timeout': ['2s', 'context chosen'],
      layout: ['etcd', 'DISCO_LAYOUT'],
      root: ['/of-project', '/p/.disco.yaml'],
    })
    expect(await shown({ named, env, flags: { 'dial-timeout': 9_000 } })).toMatchObject({
      'dial-timeout': ['9s', '--dial-timeout'],
      'command-timeout': ['1s', 'context named'],
      layout: ['kratos', 'context named'],
    })
  })
})

describe('credentials', () => {
  it.each<[of: string, some: Partial<Layers>, user: string | undefined, password: string | undefined]>([
    [
      'the context, and no variable',
      { chosen, env: { ...without(ETCDCTL), ...without(DISCO) } },
      'chosen',
      'secret of chosen',
    ],
    ['-C, and no variable', { named, env: { ...ETCDCTL, ...DISCO } }, 'named', 'secret of named'],
    ['variables beside their endpoints, and no context', { env: DISCO, project }, 'disco', 'secret of disco'],
    ['variables for the default endpoints', { env: without(DISCO) }, 'disco', 'secret of disco'],
    [
      'no user for endpoints of a flag, whatever -C has',
      { flags: { endpoints: ['x:1'] }, named },
      undefined,
      undefined,
    ],
  ])('are those of %s', async (_, some, user, password) => {
    const options = await etcdOptions(layers(some))
    expect(options).toMatchObject({ user, password })
    if (user === undefined)
      expect(options).toMatchObject({ caFile: undefined, certFile: undefined, keyFile: undefined })
  })

  it('of a context are replaced by flags in pairs: user and password, certificate and key', async () => {
    const bob = await etcdOptions(layers({ named, flags: { user: 'bob' } }))
    expect(bob).toMatchObject({
      user: 'bob',
      password: undefined,
      passwordFile: undefined,
      certFile: { path: '/named.crt', source: 'context named' },
    })
    const other = await etcdOptions(
      layers({ named, flags: { 'password-file': file('f', '--password-file') } }),
    )
    expect(other).toMatchObject({ user: 'named', password: undefined, passwordFile: { path: 'f' } })
    const cert = await etcdOptions(
      layers({ named, flags: { cert: file('c', '--cert'), key: file('k', '--key') } }),
    )
    expect(cert).toMatchObject({
      certFile: { path: 'c' },
      keyFile: { path: 'k' },
      user: 'named',
      password: 'secret of named',
    })
  })

  it('come from the same source as the endpoints', async () => {
    const { user, password, cacert } = await shown({
      chosen,
      env: without(DISCO),
      flags: { cacert: file('x.ca', '--cacert') },
    })
    expect([user, password, cacert]).toEqual([
      ['chosen', 'context chosen'],
      [null, 'context chosen'],
      ['x.ca', '--cacert'],
    ])
    expect((await shown({ env: { DISCO_USER: 'a:b' } })).password).toEqual([null, 'DISCO_USER'])
  })

  it('come only from the variable that the context names, which must be set', async () => {
    const own = context('ci', { endpoints: ['ci:1'], user: 'ci', 'password-env': 'CI_SECRET' })
    expect(
      await etcdOptions(layers({ named: own, env: { CI_SECRET: 's', DISCO_PASSWORD: 'x' } })),
    ).toMatchObject({
      password: 's',
    })
    await expect(etcdOptions(layers({ named: own, env: { DISCO_PASSWORD: 'x' } }))).rejects.toMatchObject({
      code: 'USAGE',
      message: 'The variable CI_SECRET is not set: context ci takes its password from there',
    })
  })
})

/** Variables that are set and do not count. */
async function unused(some: Partial<Layers>): Promise<readonly string[]> {
  const all = layers(some)
  return settingsDoc(all, await connectionSettings(all), placeOf(all, 'auto')).unused
}

describe('ignored variables', () => {
  it('are those of a cluster other than that of the endpoints', async () => {
    const env = { DISCO_ENDPOINTS: 'a:1', ETCDCTL_ENDPOINTS: 'b:1', ETCDCTL_USER: 'root:pw' }
    expect(await unused({ env })).toEqual(['ETCDCTL_ENDPOINTS', 'ETCDCTL_USER'])
    expect(await shown({ env })).toMatchObject({ user: [null, null], password: [null, null] })
    expect(await unused({ env: ETCDCTL })).toEqual([])
  })

  it('include a password if the user comes from the other prefix', async () => {
    const env = { DISCO_USER: 'a:b', ETCDCTL_PASSWORD: 'x' }
    expect(await unused({ env })).toEqual(['ETCDCTL_PASSWORD'])
    expect((await shown({ env })).password).toEqual([null, 'DISCO_USER'])
  })
})

describe('endpoints of a project file', () => {
  it.each([
    { user: 'ops' },
    { user: 'ops', 'password-file': file('/pw', '--password-file') },
    { cert: file('/c', '--cert'), key: file('/k', '--key') },
  ])('get no credentials that are typed for a cluster of the user: %j', async (flags) => {
    const [typed] = Object.keys(flags)
    await expect(etcdOptions(layers({ project, flags }))).rejects.toMatchObject({
      code: 'USAGE',
      message: `--${typed} would go to the endpoints that /p/.disco.yaml names`,
    })
  })

  it('are ignored if flags or -C name the endpoints, and the CA may be a flag', async () => {
    const flags = { user: 'ops', endpoints: ['x:1'] }
    expect(await etcdOptions(layers({ project, flags }))).toMatchObject({ user: 'ops', endpoints: ['x:1'] })
    expect(await etcdOptions(layers({ project, named, flags: { user: 'ops' } }))).toMatchObject({
      user: 'ops',
      endpoints: ['named:1'],
    })
    expect(await etcdOptions(layers({ project, flags: { cacert: file('x', '--cacert') } }))).toMatchObject({
      caFile: { path: 'x' },
    })
  })
})

it('need no password variable if flags replace the password, or if settings are only shown', async () => {
  const own = context('ci', { endpoints: ['ci:1'], user: 'ci', 'password-env': 'CI_SECRET' })
  expect(
    await etcdOptions(layers({ named: own, flags: { 'password-file': file('f', '--password-file') } })),
  ).toMatchObject({
    user: 'ci',
    passwordFile: { path: 'f' },
  })
  expect(await shown({ named: own })).toMatchObject({
    user: ['ci', 'context ci'],
    password: [null, null],
  })
})

describe('production', () => {
  const marked = (one: Context) => ({ ...one, settings: { ...one.settings, production: true } })

  it.each<[when: string, some: Partial<Layers>, label: string | null]>([
    ['its context is in use', { chosen: marked(chosen) }, 'context chosen'],
    [
      'it is named by -C, even beside other endpoints',
      { named: marked(named), flags: { endpoints: ['x:1'] } },
      'context named',
    ],
    [
      'the project marks it',
      { chosen, project: { ...place, settings: { production: true } } },
      'context chosen',
    ],
    ['the project has it', { project: marked(project) as Project }, '/p/.disco.yaml'],
    [
      'the project would unmark it',
      { chosen: marked(chosen), project: { ...place, settings: { production: false } } },
      'context chosen',
    ],
  ])('holds where %s', (_, some, label) => {
    expect(productionLabel(layers(some))).toBe(label)
  })

  it('does not apply to endpoints of a variable or of another context', () => {
    expect(productionLabel(layers({ env: DISCO, project: marked(project) as Project }))).toBeNull()
    expect(productionLabel(layers({ named, project: marked(project) as Project }))).toBeNull()
  })
})

/** Variables without the endpoints. */
function without(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.endsWith('_ENDPOINTS')))
}
