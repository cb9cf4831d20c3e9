import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Disco, type Ran } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { registration } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'

const ADDR = '127.0.0.1:1001'

/** Two clusters, each with a service, users and passwords of its own. */
let dc1: RealEtcd
let dc2: RealEtcd
/** Folder in which commands run, with the project files. */
let folder: string
let config: string
let env: Record<string, string>
let disco: Disco
let tool: ResidentTool

beforeAll(async () => {
  ;[dc1, dc2] = await Promise.all([RealEtcd.start(), RealEtcd.start()])
  await enableAuth(dc1, [{ name: 'alice', password: 'secret-of-dc1', prefix: '' }])
  await enableAuth(dc2, [{ name: 'bob', password: 'secret-of-dc2', prefix: '' }])
})
afterAll(() => Promise.all([dc1.stop(), dc2.stop()]))

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-contexts-'))
  config = join(folder, 'config/disco/config.yaml')
  env = { XDG_CONFIG_HOME: join(folder, 'config'), DC2_PASSWORD: 'secret-of-dc2' }
  disco = new Disco('', env)
  tool = new ResidentTool('', env)
  await dc1.ctl('put', ...registration('in-dc1', ADDR, { weight: 1 }))
  await dc2.ctl('put', ...registration('in-dc2', ADDR, { weight: 1 }))
})
afterEach(async () => {
  await disco.stopAll()
  await tool[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

function write(name: string, text: string, mode = 0o600): string {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

/** Writes a file of both contexts: one takes its password from a file, the other from a variable. */
function writeContexts(more = '', of2 = ''): void {
  write('dc1-password', 'secret-of-dc1\n')
  write(
    'config/disco/config.yaml',
    `use: dc1
contexts:
  dc1:
    endpoints: [${dc1.endpoint}]
    user: alice
    password-file: ${join(folder, 'dc1-password')}
  dc2:
    endpoints: ${dc2.endpoint}
    user: bob
    password-env: DC2_PASSWORD
${of2}${more}`,
    0o644,
  )
}

/** Names of the services that a list shows, or the error message. */
async function services(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await tool.run('ls', '-o', 'name', ...args)
  return code === 0 ? stdout.trim() : stderr
}

/** Runs a shell command line in a folder below the project. */
function inside(path: string, line: string, more: Record<string, string> = {}): Promise<Ran> {
  mkdirSync(join(folder, path), { recursive: true })
  return disco
    .with({ env: more })
    .shell(`cd '${join(folder, path)}' && ${line}`)
    .exited()
}

describe('disco context', () => {
  it('adds, uses, lists, shows and removes contexts, and commands connect to their cluster as their user', async () => {
    const passwordFile = write('alice-password', 'secret-of-dc1')
    const add1 = await tool.run(
      'context',
      'add',
      'dc1',
      '--endpoints',
      dc1.endpoint,
      '--user',
      'alice',
      '--password-file',
      passwordFile,
      '--json',
    )
    expect(add1, add1.stderr).toMatchObject({ code: 0 })
    const piped = disco.shell(
      `echo secret-of-dc2 | disco context add dc2 --endpoints ${dc2.endpoint} --user bob --password-file - --command-timeout 1m --production`,
    )
    expect(await piped.exited()).toMatchObject({ code: 0 })
    expect(statSync(config).mode & 0o777).toBe(0o600)
    expect(readFileSync(config, 'utf8')).toContain('password: secret-of-dc2')
    const add = `disco context add none --endpoints ${dc2.endpoint} --user bob --password-file - < /dev/null`
    const empty = await inside('', add)
    expect(empty).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--password-file - read no password: standard input is empty'),
    })

    const used = await tool.run('context', 'use', 'dc1', '--json')
    expectShape('context-change', JSON.parse(add1.stdout), JSON.parse(used.stdout))
    expect(await services()).toBe('in-dc1')
    expect(await services('-C', 'dc2')).toBe('in-dc2')

    const listed = await tool.run('context', 'ls', '--json')
    const shown = await tool.run('context', 'show', 'dc2', '--json')
    expectShape('contexts', JSON.parse(listed.stdout))
    expectShape('context', JSON.parse(shown.stdout))
    expect(JSON.parse(shown.stdout)).toMatchObject({ context: 'dc2', production: true })
    const table = await tool.run('context', 'show')
    expect(table.stdout).toMatch(/^user +alice +context dc1$/m)
    for (const { stdout, stderr } of [listed, shown, table, await tool.run('context', 'show', 'dc2')])
      expect(stdout + stderr).not.toContain('secret-of-dc2')

    expect(await tool.run('context', 'rm', 'dc1')).toMatchObject({ code: 0 })
    expect((await tool.run('context', 'ls', '-o', 'name')).stdout).toBe('dc2\n')
    expect(readFileSync(config, 'utf8')).not.toContain('use:')
  })

  it('keeps the contexts of all processes that add concurrently, and the comments and the symbolic link of the file', async () => {
    const kept = write('dotfiles/disco.yaml', '# mine\ncontexts:\n  old: { endpoints: "x:1" } # kept\n')
    mkdirSync(dirname(config), { recursive: true })
    symlinkSync(kept, config)
    const names = ['a', 'b', 'c', 'd', 'e']
    const adding = names.map((name) => `disco context add ${name} --endpoints 127.0.0.1:1 &`).join(' ')
    expect(await disco.shell(`${adding} disco context use old & wait`).exited()).toMatchObject({ stderr: '' })
    const listed = JSON.parse((await tool.run('context', 'ls', '--json')).stdout)
    expect(listed.contexts.map(({ name }: { name: string }) => name).sort()).toEqual([...names, 'old'])
    expect(listed.contexts[0]).toMatchObject({ name: 'old', inUse: true })
    expect(readFileSync(kept, 'utf8')).toMatch(/^# mine\ncontexts:\n.*# kept$/m)
    expect(readdirSync(dirname(kept))).toEqual(['disco.yaml'])
  })

  it('refuses an existing name without --force, flags without effect, and connections that cannot work', async () => {
    writeContexts()
    const refusals: [args: string[], code: number, message: string][] = [
      [['add', 'dc1', '--endpoints', 'x:1'], 6, 'A context "dc1" exists already'],
      [['add', 'x'], 2, 'disco context add needs --endpoints'],
      [['add', 'x,y', '--endpoints', 'x:1'], 2, 'Invalid context name "x,y"'],
      [
        ['add', 'x', '--endpoints', 'http://u:hunter2@x:1'],
        2,
        'An etcd endpoint from --endpoints contains a user',
      ],
      [
        ['add', 'x', '--endpoints', 'x:1', '--cacert', '/gone'],
        2,
        '--cacert: cannot read /gone: no such file',
      ],
      [
        ['add', 'x', '--endpoints', 'x:1', '--password-env', 'X'],
        2,
        '--password-env has no effect without --user',
      ],
      [['use', 'dc3'], 2, 'No context "dc3"\n  Did you mean dc1 or dc2?\n  Available: dc1, dc2'],
      [['rm', 'dc3'], 2, 'No context "dc3"'],
      [['use'], 2, 'disco context use needs NAME'],
      [['ls', '--production'], 2, '--production has no effect with context ls'],
      [['usee', 'dc1'], 2, 'Unknown action "usee" of disco context\n  Did you mean use?'],
    ]
    for (const [args, code, message] of refusals) {
      const ran = await tool.run('context', ...args)
      expect(ran.stderr, args.join(' ')).toContain(message)
      expect(ran.stderr).not.toContain('hunter2')
      expect(ran.code).toBe(code)
    }
    expect(await tool.run('context', 'add', 'dc1', '--endpoints', 'x:1', '--force')).toMatchObject({
      code: 0,
    })
    expect(await tool.run('context', 'use', '--none')).toMatchObject({ code: 0 })
    expect((await tool.run('context', 'show')).stdout).toMatch(/^endpoints +127\.0\.0\.1:2379 +the default$/m)
  })
})

describe('the settings of a command', () => {
  it('come from -C, then variables, then the context in use; credentials come from the source of the endpoints', async () => {
    writeContexts()
    // No cluster knows this user: any cluster that received it would refuse the command.
    const stranger = { ETCDCTL_USER: 'stranger:x', DC2_PASSWORD: '' }
    await using one = new ResidentTool('', { ...env, ...stranger })
    expect((await one.run('ls', '-o', 'name')).stdout).toBe('in-dc1\n')
    const shown = await one.run('context', 'show')
    expect(shown.stderr).toContain('Not used with these endpoints: ETCDCTL_USER')
    // Only commands that need the missing password fail.
    const missing = 'The variable DC2_PASSWORD is not set: context dc2 takes its password from there'
    expect(await one.run('ls', '-C', 'dc2')).toMatchObject({ code: 2, stderr: `✗ ${missing}\n` })
    const dc2Shown = await one.run('context', 'show', 'dc2')
    expect(dc2Shown).toMatchObject({ code: 0, stderr: expect.stringContaining(`! ${missing}\n`) })
    const idle = await one.run('resolve', 'ipv4:127.0.0.1:9', '-C', 'dc2')
    expect(idle).toMatchObject({ code: 2, stdout: '' })
    expect(idle.stderr).toContain('✗ --context has no effect on ipv4:127.0.0.1:9')
    const typed = write('bob-password', 'secret-of-dc2')
    expect((await one.run('ls', '-o', 'name', '-C', 'dc2', '--password-file', typed)).stdout).toBe('in-dc2\n')
    await using other = new ResidentTool(dc2.endpoint, { ...env, DISCO_USER: 'bob:secret-of-dc2' })
    expect((await other.run('ls', '-o', 'name')).stdout).toBe('in-dc2\n')
    expect((await other.run('ls', '-o', 'name', '-C', 'dc1')).stdout).toBe('in-dc1\n')
    // The password of dc1 is not sent to dc2.
    const flag = await tool.run('ls', '--endpoints', dc2.endpoint, '-C', 'dc1')
    expect(flag.code).toBe(3)
    expect(flag.stderr).toContain('etcd asks for a user')
  })

  it('are refused if a file is broken, unreadable or names something that does not exist', async () => {
    expect(await services('-C', 'dc1')).toContain('No context "dc1"\n  There is none in')
    writeContexts()
    expect(await services('-C', 'dc')).toContain('Did you mean dc1 or dc2?')
    writeContexts('  typo:\n    endpoints: x:1\n    pasword: hunter2\n')
    const unknown = await services()
    expect(unknown).toContain(`${config}:13:5: unknown key "pasword"\n  Did you mean password?`)
    expect(unknown).not.toContain('hunter2')
    // Commands that need no context still work.
    expect((await tool.run('ls', '--endpoints', dc1.endpoint)).code).toBe(3)
    expect((await tool.run('version')).code).toBe(0)
    rmSync(config)
    mkdirSync(config)
    expect(await services()).toContain(`Cannot read ${config}: it is a directory`)
  })

  it('are refused while other users can read a secret, and accepted after the command in the message', async () => {
    writeContexts('  dc3:\n    endpoints: x:1\n    user: u\n    password: p\n')
    for (const file of [config, join(folder, 'dc1-password')]) {
      chmodSync(file, 0o640)
      const refused = await services()
      expect(refused).toContain(`${file} holds `)
      const [, command = ''] = /^ {2}Run: (.*)$/m.exec(refused) ?? []
      expect((await disco.shell(command).exited()).code).toBe(0)
    }
    expect(await services()).toBe('in-dc1')
  })

  it('work without a home folder and without an entry in the password database, but contexts do not', async () => {
    const missing = `() => { throw new Error('A system error occurred: returned ENOENT') }`
    const preload = write(
      'homeless.cjs',
      `Object.assign(require('node:os'), { homedir: ${missing}, userInfo: ${missing} })`,
    )
    const homeless = new Disco('', { HOME: '', XDG_CONFIG_HOME: '', XDG_CACHE_HOME: '' }, [
      '--require',
      preload,
    ])
    const refused = await homeless.run('ls', '-C', 'x')
    expect(refused.stderr).toContain('There is no place for contexts: the user has no home folder')
    expect(refused.code).toBe(2)
    const { endpoint } = dc1
    expect((await homeless.run('ls', '--endpoints', endpoint)).stderr).toContain('etcd asks for a user')
    expect(await homeless.run('version')).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a project file', () => {
  it('sets context, layout and root for all folders below it; variables override it', async () => {
    writeContexts()
    write('project/.disco.yaml', 'context: dc2\nlayout: seed\n', 0o644)
    expect((await inside('project/a/b', 'disco ls -o name')).stdout).toBe('in-dc2\n')
    const shown = await inside('project/a', 'disco context show')
    expect(shown.stdout).toMatch(/^endpoints .* context dc2$/m)
    expect(shown.stdout).toMatch(new RegExp(`^layout +seed +${join(folder, 'project/.disco.yaml')}$`, 'm'))
    const fromVariable = { DISCO_ENDPOINTS: dc1.endpoint, DISCO_USER: 'alice:secret-of-dc1' }
    expect((await inside('project/a', 'disco ls -o name', fromVariable)).stdout).toBe('in-dc1\n')
    write('project/.disco.yaml', 'context: dc4\n')
    const unknown = await inside('project', 'disco ls')
    expect(unknown.stderr).toContain(`No context "dc4" from ${join(folder, 'project/.disco.yaml')}`)
  })

  it('never causes credentials from elsewhere to be sent, neither from the context in use nor from files outside the project', async () => {
    writeContexts()
    const file = write('project/.disco.yaml', `endpoints: ${dc1.endpoint}\n`)
    const alone = await inside('project', 'disco ls', { ETCDCTL_USER: 'alice:secret-of-dc1' })
    expect(alone.stderr).toContain('etcd asks for a user')
    const typed = await inside('project', 'disco ls --user alice --password-file ../dc1-password')
    expect(typed.stderr).toContain(`✗ --user would go to the endpoints that ${file} names`)
    expect(typed.code).toBe(2)
    symlinkSync(join(folder, 'dc1-password'), join(folder, 'project/link'))
    write('project/.disco.yaml', `endpoints: ${dc1.endpoint}\nuser: alice\npassword-file: link\n`)
    const linked = await inside('project', 'disco ls')
    expect(linked.stderr).toContain(
      `${file}:3:1: the file of password-file is not in the folder of the project`,
    )
    write('project/secret', 'secret-of-dc1\n')
    write('project/.disco.yaml', `endpoints: ${dc1.endpoint}\nuser: alice\npassword-file: secret\n`)
    expect((await inside('project', 'disco ls -o name')).stdout).toBe('in-dc1\n')
  })

  it('is refused if other users can write to it, but ignored if the cluster is given otherwise', async () => {
    writeContexts()
    const file = write('project/.disco.yaml', 'context: dc2\n', 0o666)
    const refused = await inside('project', 'disco ls')
    expect(refused.stderr).toContain(`${file} is not used: other users can write to it`)
    expect(refused.code).toBe(2)
    const named = await inside('project', 'disco ls -o name -C dc1')
    expect(named).toMatchObject({ stdout: 'in-dc1\n', stderr: expect.stringContaining(`${file} is ignored`) })
  })
})

describe('a production context', () => {
  const weight = ['weight', 'in-dc2', ADDR]
  const weightNow = async () =>
    JSON.parse((await dc2.ctl('get', '--print-value-only', `/in-dc2/${ADDR}`)) || '{}').weight

  beforeEach(() => writeContexts('', '    production: true\n'))

  it('can be changed without a terminal only with --yes', async () => {
    for (const args of [
      [...weight, '5'],
      ['drain', 'in-dc2', ADDR],
      ['unregister', 'in-dc2', ADDR],
      ['register', 'in-dc2', ADDR],
    ]) {
      const { stderr, code } = await tool.run(...args, '-C', 'dc2')
      expect(stderr, args.join(' ')).toContain(
        'context dc2 is production: a change that cannot be confirmed on a terminal needs --yes',
      )
      expect(code).toBe(2)
    }
    expect(await weightNow()).toBe(1)
    expect((await tool.run(...weight, '5', '-C', 'dc2', '--yes')).code).toBe(0)
    expect(await weightNow()).toBe(5)
    expect(await services('-C', 'dc2')).toBe('in-dc2')
  })

  it('is named in the confirmation on a terminal', async () => {
    for (const [answer, code, after] of [
      ['n\n', 130, 1],
      ['\u0003', 130, 1],
      ['y\n', 0, 5],
    ] as const) {
      const asked = disco.onTerminal(120, 24, ...weight, '5', '-C', 'dc2')
      await asked.printed(`context dc2 is production. Change it: weight in-dc2 ${ADDR} 5? [y/N]`)
      asked.child.stdin?.write(answer)
      expect((await asked.exited()).code, JSON.stringify(answer)).toBe(code)
      expect(await weightNow()).toBe(after)
    }
  })
})
