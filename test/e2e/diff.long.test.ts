import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { DiffDoc } from '../../src/cli/diff/document.js'
import { RealEtcd } from '../support/etcd.js'
import { grantLease, registration, revision } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()
const other = await RealEtcd.start()
const home = mkdtempSync(join(tmpdir(), 'disco-diff-'))
const tool = new ResidentTool(etcd.endpoint, { XDG_CONFIG_HOME: home })
const contexts = `contexts:\n  staging:\n    endpoints: ["${other.endpoint}"]\n`
mkdirSync(join(home, 'disco'))
writeFileSync(join(home, 'disco', 'config.yaml'), contexts, { mode: 0o600 })

afterAll(async () => {
  await tool[Symbol.asyncDispose]()
  await other.stop()
  rmSync(home, { recursive: true, maxRetries: 5 })
})

const A = '127.0.0.1:1001'
const B = '127.0.0.1:1002'
const C = '127.0.0.1:1003'

const put = (at: RealEtcd, addr: string, weight: number, ...flags: string[]) =>
  at.ctl('put', ...registration('hello', addr, { version: '1.0.0', weight }), ...flags)

/**
 * Creates endpoints A and B of hello; afterwards changes the weight of A, removes B and adds C. Returns the revision
 * between the two.
 */
let rev: number

beforeEach(async () => {
  await other.ctl('del', '--prefix', '/')
  await put(etcd, A, 1)
  await put(etcd, B, 1)
  rev = await revision(etcd)
  await put(etcd, A, 5)
  await etcd.ctl('del', `/hello/1.0.0/${B}`)
  await put(etcd, C, 1)
})

async function json(code: number, ...args: string[]): Promise<DiffDoc> {
  const ran = await tool.run('diff', ...args, '--json')
  expect(ran.code, ran.stderr).toBe(code)
  return JSON.parse(ran.stdout) as DiffDoc
}

describe('diff between revisions', () => {
  test('shows what was added, removed and changed, as a table and as a JSON patch', async () => {
    const table = await tool.run('diff', 'hello', '--from', String(rev))
    expect(table.code).toBe(1)
    expect(table.stdout).toBe(
      [
        `--- rev ${rev}`,
        `+++ rev ${rev + 3}`,
        '   ADDRESS         VERSION  CHANGE',
        `~  ${A}  1.0.0    weight 1 → 5`,
        `-  ${B}  1.0.0    weight 1 (seed)`,
        `+  ${C}  1.0.0    weight 1 (seed)`,
        '',
      ].join('\n'),
    )
    expect(table.stderr).toBe('3 differences: 1 added, 1 removed, 1 changed\n')
    const doc = await json(1, 'hello', '--from', String(rev))
    expectShape('diff', doc)
    expect(doc).toMatchObject({ equal: false, from: { rev: String(rev) }, to: { rev: String(rev + 3) } })
    expect(doc.patch).toEqual([
      { op: 'remove', path: `/hello/${B} 1.0.0` },
      { op: 'replace', path: `/hello/${A} 1.0.0/weight`, value: 5 },
      { op: 'add', path: `/hello/${C} 1.0.0`, value: { layout: 'seed', version: '1.0.0', weight: 1 } },
    ])
    const lines = await tool.run('diff', '--from', String(rev), '-o', 'ndjson')
    expectShape(
      'difference',
      ...lines.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
    expect((await tool.run('diff', '--from', String(rev), '-o', 'name')).stdout).toBe(`${A}\n${B}\n${C}\n`)
  })

  test('ends at the revision of --to, and exits 0 for equal states', async () => {
    const doc = await json(1, 'hello', '--from', String(rev), '--to', String(rev + 1))
    expect(doc.differences).toMatchObject([
      { type: 'changed', addr: A, fields: [{ field: 'weight', from: 1, to: 5 }] },
    ])
    const equal = await tool.run('diff', 'hello', '--from', String(rev), '--to', String(rev))
    expect(equal).toEqual({ code: 0, stdout: `= equal: rev ${rev} and rev ${rev}\n`, stderr: '' })
    expect(await json(0, 'hello', '--from', String(rev), '--to', String(rev))).toMatchObject({
      equal: true,
      patch: [],
    })
  })

  test('ignores a new lease of the same registration', async () => {
    const before = await revision(etcd)
    const lease = await grantLease(etcd, 100)
    await put(etcd, A, 5, `--lease=${lease}`)
    expect(await json(0, '--from', String(before))).toMatchObject({ equal: true })
  })
})

describe('diff --against', () => {
  test('with another context compares endpoints, regardless of revisions', async () => {
    await put(other, A, 5)
    await put(other, C, 1)
    const equal = await tool.run('diff', 'hello', '--against', 'staging')
    expect(equal).toMatchObject({ code: 0, stderr: '' })
    expect(equal.stdout).toContain('and context staging, rev ')
    await put(other, B, 2)
    const more = await tool.run('diff', '--against', 'staging', '--json')
    expect(more.code).toBe(1)
    expect(JSON.parse(more.stdout)).toMatchObject({
      to: { source: 'context', name: 'staging' },
      differences: [{ type: 'added', service: 'hello', addr: B, from: null, to: { weight: 2 } }],
    })
    const none = await tool.run('diff', '--against', 'production')
    expect(none).toMatchObject({ code: 2, stdout: '' })
  })

  test('with another root reads both roots at one revision', async () => {
    await etcd.ctl(
      'put',
      `/staging/hello/1.0.0/${A}`,
      registration('hello', A, { version: '1.0.0', weight: 5 })[1],
    )
    const doc = await json(1, 'hello', '--against-root', '/staging')
    expect(doc.from.rev).toBe(doc.to.rev)
    expect(doc.to.root).toBe('/staging/')
    expect(doc.differences).toMatchObject([{ type: 'removed', addr: C }])
  })

  test.each([
    ['export as YAML', ['export']],
    ['export as JSON', ['export', '-o', 'json']],
    ['ls', ['ls', 'hello', '--json']],
    ['ls with a selection', ['ls', '-l', 'weight>0', '--json']],
  ])('with a file of %s reports equality until the registry changes', async (_, args) => {
    const file = join(home, 'file.json')
    writeFileSync(file, (await tool.run(...args)).stdout)
    expect(await json(0, 'hello', '--against', file)).toMatchObject({
      equal: true,
      to: { source: 'file', name: file },
    })
    await put(etcd, A, 7)
    expect((await json(1, '--against', file)).differences).toMatchObject([
      { type: 'changed', addr: A, fields: [{ field: 'weight', from: 7, to: 5 }] },
    ])
  })

  test('with - reads the file from standard input', async () => {
    const piped = disco.shell('disco export | disco diff --against -')
    expect(await piped.exited()).toMatchObject({ code: 0 })
  })
})

describe('diff exits with the documented code for', () => {
  test.each([
    ['nothing to compare with', ['hello'], 2],
    ['--to without --from', ['hello', '--to', '5', '--against-root', '/x'], 2],
    ['--to with another root', ['hello', '--from', '5', '--to', '5', '--against-root', '/x'], 2],
    ['a file that is not there', ['--against', '/nonexistent/x.yaml'], 2],
    ['a service that neither has', ['helo', '--from', '1'], 2],
    ['a selection', ['etcd:///hello?zone=b', '--from', '1'], 2],
    ['an unknown flag', ['--nope'], 2],
    ['a future revision', ['--from', '999999'], 3],
    ['an etcd out of reach', ['--from', '1', '--endpoints', '127.0.0.1:1'], 3],
  ])('%s', async (_, args, code) => {
    const ran = await tool.run('diff', ...args)
    expect(ran).toMatchObject({ code, stdout: '' })
    expect(ran.stderr).toMatch(/^✗ /)
  })

  test('2 for a list without endpoints or a damaged list', async () => {
    const file = join(home, 'bad.json')
    for (const text of ['{"schema":"disco.services/v1"}', '{"schema":"disco.endpoints/v1"}', '{}', '', '{']) {
      writeFileSync(file, text)
      expect(await tool.run('diff', '--against', file)).toMatchObject({ code: 2, stdout: '' })
    }
  })
})
