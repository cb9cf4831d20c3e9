import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { Disco, type Ran } from '../support/disco.js'
import { RealEtcd } from '../support/etcd.js'
import { enableAuth } from '../support/etcd-auth.js'
import { temporaryFile } from '../support/temporary-file.js'

interface Permission {
  readonly kind: 'read' | 'write'
  /** Notation of the page: `/hello/` is a prefix, `every key` means all keys, anything else is one key. */
  readonly range: string
}

interface Documented {
  readonly command: string
  readonly permissions: readonly Permission[]
}

/** The rows of the table on the page, one for each command. */
function rowsOfPage(): Documented[] {
  const rows = readFileSync('docs/roles.md', 'utf8').matchAll(/^\| (`disco .*?) *\| (.*?) *\| *(.*?) *\|$/gm)
  return [...rows].flatMap(([, commands = '', read = '', write = '']) => {
    const permissions: Permission[] = []
    if (read !== '') permissions.push({ kind: 'read', range: read.replaceAll('`', '') })
    if (write !== '') permissions.push({ kind: 'write', range: write.replaceAll('`', '') })
    return [...commands.matchAll(/`(disco .*?)`/g)].map(([, command = '']) => ({ command, permissions }))
  })
}

const ROWS = rowsOfPage()

/** Commands that run until Ctrl-C. */
const RUNS_ON = /^disco (watch|register|proxy|xds)\b/

/** Commands that keep running without a permission, because a role may be granted later. */
const GOES_ON = /^disco (proxy|xds)\b/

const SERVED = '127.0.0.1:1001'

let etcd: RealEtcd
let greeter: Greeter
let file: AsyncDisposable & { path: string }
let users = 0

beforeAll(async () => {
  etcd = await RealEtcd.start()
  greeter = await startGreeter({ port: 0 })
  file = await temporaryFile(
    'hello.yaml',
    `schema: disco.registry/v1\nendpoints:\n  - { service: hello, addr: "${SERVED}", version: 1.0.0, weight: 9 }\n`,
  )
  await enableAuth(etcd, [])
})

afterAll(async () => {
  greeter.stop()
  await file[Symbol.asyncDispose]()
  await etcd.stop()
})

/** Creates a user with exactly these permissions. */
async function userWith(permissions: readonly Permission[]): Promise<string> {
  const name = `user${users++}`
  await etcd.ctl('user', 'add', `${name}:secret`)
  await etcd.ctl('role', 'add', name)
  // etcd replaces the permission of a role on a range with a later one on the same range, so all kinds are granted
  // together.
  for (const range of new Set(permissions.map((one) => one.range))) {
    const kinds = permissions.flatMap((one) => (one.range === range ? [one.kind] : []))
    const kind = kinds.join('')
    const key = range === 'every key' ? [''] : [range]
    if (range === 'every key' || range.endsWith('/')) key.push('--prefix=true')
    await etcd.ctl('role', 'grant-permission', name, kind, ...key)
  }
  await etcd.ctl('user', 'grant-role', name, name)
  return name
}

/**
 * Runs a command of the page as a user until it ends. A command that runs until Ctrl-C is stopped after its first
 * output.
 */
async function runAs(user: string, command: string): Promise<Ran> {
  const disco = new Disco(etcd.endpoint, { DISCO_USER: `${user}:secret` })
  const line = GOES_ON.test(command) ? `${command} --listen 127.0.0.1:0` : command
  const running = disco.shell(`cd "$(dirname '${file.path}')"; ${line}`)
  if (!RUNS_ON.test(command)) return await running.exited()
  await running.printed(/\n/)
  // After this error the command ends without a signal.
  return running.stderr.startsWith('✗ etcd denies') ? await running.exited() : await running.end('SIGINT')
}

/** Writes the registry of the page as root: two endpoints, one of which serves. */
async function putRegistry(): Promise<void> {
  const key = '/hello/1.0.0/'
  await etcd.ctl('del', '', '--prefix=true')
  for (const addr of [SERVED, greeter.addr])
    await etcd.ctl(
      'put',
      `${key}${addr}`,
      JSON.stringify({ name: 'hello', addr, version: '1.0.0', weight: 2 }),
    )
}

describe('docs/roles.md', () => {
  test('lists permissions for reading and for writing commands', () => {
    expect(ROWS.filter(({ permissions }) => permissions.length === 1).length).toBeGreaterThan(10)
    expect(ROWS.filter(({ permissions }) => permissions.length === 2).length).toBeGreaterThan(3)
  })

  test.each(ROWS)(
    '$command works with its listed permissions, and is denied if one of them is missing',
    async ({ command, permissions }) => {
      await putRegistry()
      const allowed = await runAs(await userWith(permissions), command)
      const isAnswer = ![2, 3, 4, 6].includes(allowed.code ?? 0)
      expect(isAnswer, allowed.stderr).toBe(true)
      expect(allowed.stderr).not.toContain('denies')
      for (const missing of permissions) {
        await putRegistry()
        const user = await userWith(permissions.filter((one) => one !== missing))
        const refused = await runAs(user, command)
        expect(refused.code, `without ${missing.kind} on ${missing.range}\n${refused.stderr}`).toBe(
          GOES_ON.test(command) ? 0 : 3,
        )
        expect(refused.stderr).toContain(`etcd denies ${user} the permission`)
        const [, grant] = /^ {2}Grant it: etcdctl (.*)$/m.exec(refused.stderr) ?? []
        const isNamed = grant !== undefined || GOES_ON.test(command) || permissions.length > 1
        expect(isNamed, refused.stderr).toBe(true)
        // Another grant on the same range would replace the existing permission.
        if (grant === undefined || permissions.filter(({ range }) => range === '/hello/').length > 1) continue
        await etcd.ctl(...grant.split(' ').map((word) => word.replace('ROLE', user).replace('""', '')))
        await putRegistry()
        const mended = await runAs(user, command)
        expect(mended.code, `with ${grant}\n${mended.stderr}`).not.toBe(3)
      }
    },
  )
})
