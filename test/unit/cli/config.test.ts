import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { etcdOptions, placeOf } from '../../../src/cli/config.js'
import type { Layers } from '../../../src/cli/context/layers.js'
import { baseFlags } from '../../../src/cli/flags/base.js'
import { readCredentials } from '../../../src/etcd/credentials.js'
import { flagError } from '../../support/flags.js'

let folder = ''

/** Flags and variables, without any file. */
const layersOf = (flags: Layers['flags'], env: Layers['env']): Layers => ({
  flags,
  env,
  named: null,
  project: null,
  chosen: null,
  warnings: [],
})

const optionsOf = (flags: Layers['flags'], env: Layers['env']) => etcdOptions(layersOf(flags, env))

const placeIn = (flags: Layers['flags'], env: Layers['env'], layout: string) =>
  placeOf(layersOf(flags, env), layout)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'disco-config-'))
})

afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }))

const file = (path: string, source: string) => ({ path, source })

async function secretFile(content: string): Promise<string> {
  const path = join(folder, 'secret')
  await writeFile(path, content)
  return path
}

/** Every setting in both environments, each with a different value. */
const ENV = {
  DISCO_ENDPOINTS: 'disco:1',
  ETCDCTL_ENDPOINTS: 'etcdctl:1',
  DISCO_CACERT: 'disco.ca',
  ETCDCTL_CACERT: 'etcdctl.ca',
  DISCO_CERT: 'disco.crt',
  ETCDCTL_CERT: 'etcdctl.crt',
  DISCO_KEY: 'disco.key',
  ETCDCTL_KEY: 'etcdctl.key',
  DISCO_USER: 'disco-user',
  ETCDCTL_USER: 'etcdctl-user',
  DISCO_PASSWORD: 'disco-secret',
  ETCDCTL_PASSWORD: 'etcdctl-secret',
  DISCO_DIAL_TIMEOUT: '2s',
  ETCDCTL_DIAL_TIMEOUT: '3s',
  DISCO_COMMAND_TIMEOUT: '20s',
  ETCDCTL_COMMAND_TIMEOUT: '30s',
}

const ETCDCTL_ALONE = Object.fromEntries(Object.entries(ENV).filter(([name]) => name.startsWith('ETCDCTL_')))

describe('etcdOptions', () => {
  it('uses the defaults without settings', async () => {
    expect(await optionsOf({}, {})).toEqual({
      endpoints: ['127.0.0.1:2379'],
      endpointsSource: 'the default',
      caFile: undefined,
      certFile: undefined,
      keyFile: undefined,
      user: undefined,
      password: undefined,
      // The library has defaults of its own.
      dialTimeoutMs: undefined,
      commandTimeoutMs: undefined,
    })
  })

  it('prefers ETCDCTL_* over the defaults', async () => {
    expect(await optionsOf({}, ETCDCTL_ALONE)).toEqual({
      endpoints: ['etcdctl:1'],
      endpointsSource: 'ETCDCTL_ENDPOINTS',
      caFile: { path: 'etcdctl.ca', source: 'ETCDCTL_CACERT' },
      certFile: { path: 'etcdctl.crt', source: 'ETCDCTL_CERT' },
      keyFile: { path: 'etcdctl.key', source: 'ETCDCTL_KEY' },
      user: 'etcdctl-user',
      password: 'etcdctl-secret',
      dialTimeoutMs: 3_000,
      commandTimeoutMs: 30_000,
    })
  })

  it('prefers DISCO_* over ETCDCTL_*', async () => {
    expect(await optionsOf({}, ENV)).toEqual({
      endpoints: ['disco:1'],
      endpointsSource: 'DISCO_ENDPOINTS',
      caFile: { path: 'disco.ca', source: 'DISCO_CACERT' },
      certFile: { path: 'disco.crt', source: 'DISCO_CERT' },
      keyFile: { path: 'disco.key', source: 'DISCO_KEY' },
      user: 'disco-user',
      password: 'disco-secret',
      dialTimeoutMs: 2_000,
      commandTimeoutMs: 20_000,
    })
  })

  it('prefers a flag over DISCO_* and ETCDCTL_*', async () => {
    const passwordFile = await secretFile('flag-secret\n')
    const flags = {
      endpoints: ['flag:1'],
      user: 'flag-user',
      cacert: file('flag.ca', '--cacert'),
      cert: file('flag.crt', '--cert'),
      key: file('flag.key', '--key'),
      'password-file': file(passwordFile, '--password-file'),
      'dial-timeout': 7,
      'command-timeout': 8,
    }
    expect(await optionsOf(flags, ENV)).toEqual({
      endpoints: ['flag:1'],
      endpointsSource: '--endpoints',
      caFile: { path: 'flag.ca', source: '--cacert' },
      certFile: { path: 'flag.crt', source: '--cert' },
      keyFile: { path: 'flag.key', source: '--key' },
      // Where a password file is named, the password beside it is not used.
      user: 'flag-user',
      password: 'disco-secret',
      passwordFile: { path: passwordFile, source: '--password-file' },
      dialTimeoutMs: 7,
      commandTimeoutMs: 8,
    })
  })

  it('ignores empty variables', async () => {
    const options = await optionsOf({}, { ...ETCDCTL_ALONE, DISCO_ENDPOINTS: '', DISCO_DIAL_TIMEOUT: '' })
    expect(options).toMatchObject({ endpointsSource: 'ETCDCTL_ENDPOINTS', dialTimeoutMs: 3_000 })
  })

  it('reads several members, and ignores a trailing comma', async () => {
    const { endpoints } = await optionsOf({}, { DISCO_ENDPOINTS: 'a:1,b:2, ,c:3,' })
    expect(endpoints).toEqual(['a:1', 'b:2', 'c:3'])
  })

  it('names the variable with an invalid duration', async () => {
    await expect(optionsOf({}, { ETCDCTL_DIAL_TIMEOUT: 'soon' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'Invalid ETCDCTL_DIAL_TIMEOUT "soon": expected a duration such as 5s or 2m',
    })
  })
})

/** The password that etcd is asked with. */
async function passwordWith(...words: Parameters<typeof optionsOf>): Promise<string> {
  const options = { endpointsSource: 'the test', dialTimeoutMs: 800, commandTimeoutMs: 5_000 }
  const { caFile: _, certFile: __, keyFile: ___, ...named } = await optionsOf(...words)
  return (await readCredentials({ ...named, ...options })).password
}

describe('the password', () => {
  it('may follow the user in ETCDCTL_USER, as in etcdctl, and may contain colons', async () => {
    const options = await optionsOf({}, { ETCDCTL_USER: 'root:a:b' })
    expect(options).toMatchObject({ user: 'root', password: 'a:b' })
  })

  it('in its own variable takes precedence over a password in the variable of the user', async () => {
    const env = { ETCDCTL_USER: 'root:behind', ETCDCTL_PASSWORD: 'own' }
    expect(await optionsOf({}, env)).toMatchObject({ user: 'root', password: 'own' })
  })

  it('is refused in a flag, which other users can read, and is not printed', async () => {
    const error = await flagError(baseFlags, '--user', 'root:hunter2')
    expect(error).toMatchObject({ code: 'USAGE' })
    expect(JSON.stringify([String(error), error])).not.toContain('hunter2')
  })

  it.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    [' two  words \n\n', ' two  words \n'],
  ])('of the file %j loses one line end and nothing else', async (content, password) => {
    const path = await secretFile(content)
    expect(await passwordWith({ 'password-file': file(path, '--password-file'), user: 'alice' }, ENV)).toBe(
      password,
    )
  })

  it('in a file that cannot be read is a usage error', async () => {
    const missing = join(folder, 'missing')
    await expect(
      passwordWith({ 'password-file': file(missing, '--password-file'), user: 'alice' }, {}),
    ).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(
        `Cannot read the password file ${missing} from --password-file: no such file or directory`,
      ),
    })
  })
})

describe('placeOf', () => {
  const env = { DISCO_LAYOUT: 'kratos', DISCO_ROOT: '/staging' }

  it('prefers a flag over the environment, and the environment over the default of the command', () => {
    expect(placeIn({}, {}, 'auto')).toEqual({ layout: 'auto', root: '' })
    expect(placeIn({}, env, 'auto')).toEqual({ layout: 'kratos', root: '/staging' })
    expect(placeIn({ layout: 'seed', root: '/prod' }, env, 'auto')).toEqual({ layout: 'seed', root: '/prod' })
  })

  it('reads an empty root as no root, whatever the environment contains', () => {
    expect(placeIn({ root: '' }, env, 'auto').root).toBe('')
    expect(placeIn({}, { DISCO_LAYOUT: '' }, 'auto').layout).toBe('auto')
  })
})
