import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { registration } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

let folder: string
let greeter: Greeter

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-files-'))
  greeter = await startGreeter({ port: 0 })
})
beforeEach(async () => {
  await etcd.ctl('put', ...registration('hello', greeter.addr, { version: '1.0.0', weight: 1 }))
})
afterAll(() => {
  greeter.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** The code blocks of a page in a language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(`docs/${page}`, 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  )
}

describe('docs/prove-balancing.md', () => {
  interface Job {
    readonly balancing?: { readonly script: readonly string[] }
  }

  test('has jobs for GitLab, GitHub and Jenkins whose commands run and create the files that the jobs keep', async () => {
    const [gitlab = '', github = ''] = blocks('prove-balancing.md', 'yaml')
    const [jenkins = ''] = blocks('prove-balancing.md', 'groovy')
    const [step] = parse(github) as [{ run: string }]
    const commands = [
      ...((parse(gitlab) as Job).balancing?.script ?? []),
      step.run,
      /sh '([^']*)'/.exec(jenkins)?.[1] ?? '',
    ]
    expect(new Set(commands).size).toBe(1)
    const [command = ''] = commands
    expect(command).toMatch(/^disco call/)
    const { stdout, stderr, code } = await disco.shell(`cd ${folder}; ${command} && ls`).exited()
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    for (const file of ['balancing.html', 'balancing.xml']) {
      expect(stdout).toContain(`${file}\n`)
      for (const job of [gitlab, github, jenkins]) expect(job).toContain(file)
    }
  })
})

describe('docs/contexts.md', () => {
  test('has a contexts file and a project file that disco reads', async () => {
    const [contexts = '', project = ''] = blocks('contexts.md', 'yaml')
    mkdirSync(join(folder, 'config/disco'), { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, 'config/disco/config.yaml'), contexts, { mode: 0o600 })
    const inFolder = `unset DISCO_ENDPOINTS; export XDG_CONFIG_HOME=${folder}/config; cd ${folder}`
    const listed = await disco.shell(`${inFolder}; disco context ls -o name`).exited()
    expect(listed).toMatchObject({ code: 0, stdout: 'dc1\ndc2\n' })
    writeFileSync(join(folder, '.disco.yaml'), project)
    const shown = await disco.shell(`${inFolder}; DC2_PASSWORD=x disco context show`).exited()
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: '' })
    expect(shown.stdout).toMatch(/^root +\/team +.*\.disco\.yaml$/m)
    rmSync(join(folder, '.disco.yaml'))
  })
})

describe('docs/migrate.md', () => {
  test('has a file that disco apply accepts', async () => {
    const [file = ''] = blocks('migrate.md', 'yaml')
    writeFileSync(join(folder, 'registry.yaml'), file)
    const { code, stderr } = await disco.run(
      'apply',
      '-f',
      join(folder, 'registry.yaml'),
      '--ttl',
      '60',
      '--yes',
    )
    expect(code, stderr).toBe(0)
    expect((await disco.run('ls', 'hello', '-o', 'name')).stdout).toContain('10.0.0.1:1001\n')
  })
})

describe('docs/register.md', () => {
  test('has a request to the admin port that sets the weight', async () => {
    const [, request = ''] = /^\$ (curl .*)$/m.exec(readFileSync('docs/register.md', 'utf8')) ?? []
    const admin = `127.0.0.1:${(await freePorts(1)).join()}`
    const running = disco.start('register', 'hello', '127.0.0.1:1001', '--admin', admin)
    await running.printed('"type":"added"')
    const { stdout } = await disco.shell(`${request.replace('127.0.0.1:9001', admin)} --silent`).exited()
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'disco.own-weight-change/v1',
      changes: [{ key: '/hello/127.0.0.1:1001', addr: '127.0.0.1:1001', from: 1, to: 5 }],
    })
    await running.end('SIGINT')
  })
})
