import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configIn } from '../../../src/config/contexts.js'
import { configFile } from '../../../src/config/locations.js'
import { SETTING_NAMES } from '../../../src/config/settings.js'
import { editYaml } from '../../../src/config/yaml.js'
import { DiscoError } from '../../../src/domain/errors.js'

const FILE = '/home/me/.config/disco/config.yaml'

/** The message and the hints of the error that a text gives. */
function errorOf(text: string): { message: string; suggestions: readonly string[] } {
  try {
    configIn(FILE, text)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DiscoError)
    const { code, message, suggestions } = thrown as DiscoError
    expect(code).toBe('USAGE')
    return { message, suggestions }
  }
  throw new Error('no error')
}

describe('the contexts file', () => {
  it('has all settings, with absolute paths and times in milliseconds', () => {
    const { use, contexts } = configIn(
      FILE,
      `# mine
use: prod
contexts:
  prod:
    endpoints: [10.0.0.1:2379, "10.0.0.2:2379"]
    cacert: ca.pem
    cert: /etc/disco/client.pem
    key: ../client-key.pem
    user: ops
    password-file: secret
    dial-timeout: 500ms
    command-timeout: 10
    root: /prod
    layout: go-zero=/team
    production: true
  local: { endpoints: "127.0.0.1:2379,127.0.0.1:2380," }
`,
    )
    expect(use).toBe('prod')
    expect(contexts.get('prod')?.settings).toEqual({
      endpoints: ['10.0.0.1:2379', '10.0.0.2:2379'],
      cacert: '/home/me/.config/disco/ca.pem',
      cert: '/etc/disco/client.pem',
      key: '/home/me/.config/client-key.pem',
      'password-file': '/home/me/.config/disco/secret',
      user: 'ops',
      'dial-timeout': 500,
      'command-timeout': 10_000,
      root: '/prod',
      layout: 'go-zero=/team',
      production: true,
    })
    expect(contexts.get('local')?.settings).toEqual({ endpoints: ['127.0.0.1:2379', '127.0.0.1:2380'] })
  })

  it.each(['', '# nothing\n', 'contexts:\n', '{}'])('may be empty: %j', (text) => {
    expect(configIn(FILE, text).contexts.size).toBe(0)
  })

  it.each<[fault: string, text: string, at: string, problem: string]>([
    ['broken YAML', 'contexts:\n  a: {endpoints: x:1\n', '3:1', 'the indentation is wrong'],
    ['a tab', 'contexts:\n\ta:\n', '2:1', 'tabs are not allowed'],
    ['a key that is given twice', 'use: a\nuse: b\n', '2:1', 'the key is repeated'],
    ['an unknown key', 'contexts:\n  a:\n    endpoint: x:1\n', '3:5', 'unknown key "endpoint"'],
    ['an unknown key at the top', 'context: a\n', '1:1', 'unknown key "context"'],
    [
      'a wrong type',
      'contexts:\n  a:\n    endpoints: x:1\n    user: 12\n',
      '4:11',
      'a text is expected here: put the value in quotes',
    ],
    [
      'a wrong switch',
      'contexts:\n  a:\n    endpoints: x:1\n    production: "yes"\n',
      '4:17',
      'expected true or false',
    ],
    [
      'a wrong time',
      'contexts:\n  a:\n    endpoints: x:1\n    dial-timeout: soon\n',
      '4:19',
      'expected a duration such as 5s or 2m',
    ],
    ['an empty value', 'contexts:\n  a:\n    endpoints:\n', '3:15', 'a text is expected here'],
    ['no endpoints', 'contexts:\n  a:\n    root: /x\n', '2:3', 'context a has no endpoints'],
    [
      'credentials without endpoints',
      'contexts:\n  a:\n    user: bob\n',
      '3:5',
      'user is given without endpoints',
    ],
    [
      'a certificate alone',
      'contexts:\n  a:\n    endpoints: x:1\n    cert: c\n',
      '3:5',
      'a client certificate needs both cert and key',
    ],
    [
      'a password alone',
      'contexts:\n  a:\n    endpoints: x:1\n    password: p\n',
      '3:5',
      'password has no effect without user',
    ],
    [
      'two passwords',
      'contexts:\n  a:\n    endpoints: x:1\n    user: u\n    password: p\n    password-file: f\n',
      '3:5',
      'password-file and password exclude each other',
    ],
    ['a bad name', 'contexts:\n  a,b:\n    endpoints: x:1\n', '2:3', 'invalid context name'],
    ['a list', '- a\n', '1:1', 'the file must be a map of keys and values'],
  ])('names file, line and column of %s', (_, text, at, problem) => {
    expect(errorOf(text).message).toContain(`${FILE}:${at}: ${problem}`)
  })

  it('suggests the nearest key and the nearest layout', () => {
    expect(errorOf('contexts:\n  a:\n    endpoint: x:1\n').suggestions).toEqual(['Did you mean endpoints?'])
    const { message, suggestions } = errorOf('contexts:\n  a:\n    endpoints: x:1\n    layout: krato\n')
    expect(message).toBe(`Unknown layout "krato" from ${FILE}:4:13`)
    expect(suggestions[0]).toBe('Did you mean kratos?')
  })

  it('names the position of a root with control characters', () => {
    const { message } = errorOf('contexts:\n  a:\n    endpoints: x:1\n    root: "/\\u0007"\n')
    expect(message).toBe(`The root "/\u0007" from ${FILE}:4:11 has control characters`)
  })

  it.each([
    'password: hunter2: x',
    'password: |hunter2',
    'password: *hunter2',
    'password: !hunter2 x',
    'password: "hunter2\n',
    'password: [hunter2]',
    'password: {a: hunter2}',
    '? [hunter2]\n    : x',
    'password: &a hunter2 &b hunter2',
    'password: %hunter2 \\x',
    'hunter2 is here: x',
  ])('never repeats a secret in an error: %j', (line) => {
    const text = `contexts:\n  a:\n    endpoints: x:1\n    user: u\n    ${line}\n`
    let message = ''
    try {
      configIn(FILE, text)
    } catch (thrown) {
      message = `${String(thrown)} ${JSON.stringify((thrown as DiscoError).suggestions)}`
    }
    expect(message).not.toContain('hunter2')
    expect(message).toMatch(/:\d+:\d+: |^$/)
  })
})

it('is parsed as docs/contexts.md shows it, and has every key of the table there', () => {
  const page = readFileSync(new URL('../../../docs/contexts.md', import.meta.url), 'utf8')
  const [own = '', project = ''] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text)
  expect([...configIn(FILE, own).contexts.keys()]).toEqual(['dc1', 'dc2'])
  expect(() => configIn(FILE, project)).toThrow('unknown key "context"')
  const keys = [...page.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = '']) => cell.match(/[\w-]+/g) ?? [])
  expect(keys.sort()).toEqual([...SETTING_NAMES].sort())
})

describe('a change of the contexts file', () => {
  it('keeps comments and the order of entries', () => {
    const text = '# mine\ncontexts:\n  # the old one\n  a:\n    endpoints: x:1 # here\n'
    const changed = editYaml(text, [
      { path: ['contexts', 'b'], value: { endpoints: ['y:1'] } },
      { path: ['use'], value: 'b' },
    ])
    expect(changed).toBe(`${text}  b:\n    endpoints:\n      - y:1\nuse: b\n`)
    expect(
      editYaml(changed, [
        { path: ['contexts', 'b'], value: undefined },
        { path: ['use'], value: undefined },
      ]),
    ).toBe(text)
    expect(editYaml('', [{ path: ['use'], value: 'a' }])).toBe('use: a\n')
  })
})

describe('the location of the contexts file', () => {
  it.each<[env: Record<string, string>, platform: NodeJS.Platform, file: string]>([
    [{ XDG_CONFIG_HOME: '/x' }, 'linux', '/x/disco/config.yaml'],
    [{ XDG_CONFIG_HOME: '/x', APPDATA: '/a' }, 'win32', '/x/disco/config.yaml'],
    [{ APPDATA: '/a' }, 'win32', '/a/disco/config.yaml'],
  ])('follows %j on %s', (env, platform, file) => {
    expect(configFile(env, platform)).toBe(file)
  })

  it('is in the home folder if XDG_CONFIG_HOME is relative or not set', () => {
    expect(configFile({ XDG_CONFIG_HOME: 'x' }, 'linux')).toMatch(/\/\.config\/disco\/config\.yaml$/)
    expect(configFile({ APPDATA: '/a' }, 'linux')).toMatch(/\/\.config\/disco\/config\.yaml$/)
  })
})
