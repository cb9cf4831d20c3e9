import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ChangeDoc, HistoryDoc } from '../../src/cli/history/document.js'
import { until } from '../support/disco.js'
import { grantLease, registration, revision } from '../support/etcd-state.js'
import { ResidentTool } from '../support/resident-tool.js'
import { expectShape } from '../support/shape.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd } = await toolOnOwnEtcd()
const home = mkdtempSync(join(tmpdir(), 'disco-history-'))
const tool = new ResidentTool(etcd.endpoint, { XDG_CACHE_HOME: home })
const notes = join(home, 'disco')

afterAll(async () => {
  await tool[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, maxRetries: 5 })
})

const A = '127.0.0.1:1001'
const B = '127.0.0.1:1002'

/** The revision before the first write of the test. */
let before: number

beforeEach(async () => {
  before = await revision(etcd)
})

/** Waits until a command has stored a sample of the revision, which it does in the background. */
async function noted(): Promise<void> {
  await until(
    () => existsSync(notes) && readdirSync(notes).length > 0,
    () => 'a sample of the revision',
  )
}

async function forget(): Promise<void> {
  await noted()
  rmSync(notes, { recursive: true, maxRetries: 5 })
}

async function put(addr: string, weight: number, ...flags: string[]): Promise<void> {
  await etcd.ctl('put', ...registration('hello', addr, { version: '1.0.0', weight }), ...flags)
}

/** Makes one change of each type, and a change of another service. */
async function changeAll(): Promise<string> {
  await put(A, 1)
  await put(A, 5)
  await etcd.ctl('put', ...registration('pay', B))
  const lease = await grantLease(etcd, 100)
  await put(A, 5, `--lease=${lease}`)
  await etcd.ctl('del', `/hello/1.0.0/${A}`)
  return lease
}

async function json(...args: string[]): Promise<HistoryDoc> {
  const { stdout, stderr, code } = await tool.run('history', ...args, '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as HistoryDoc
}

describe('history', () => {
  afterEach(forget)

  test('prints added, weight, updated and gone, each with its revision and lease', async () => {
    const lease = await changeAll()
    const doc = await json('hello', '--since', String(before))
    const of = { service: 'hello', addr: A, key: `/hello/1.0.0/${A}`, version: '1.0.0', layout: 'seed' }
    expect(doc).toMatchObject({ since: String(before), rev: String(before + 5), compacted: null })
    expect(doc.changes).toMatchObject([
      { type: 'added', rev: String(before + 1), ...of, weight: 1, problem: null, lease: null },
      { type: 'weight', rev: String(before + 2), ...of, from: 1, to: 5, lease: null },
      {
        type: 'updated',
        rev: String(before + 4),
        ...of,
        lease,
        fields: [{ field: 'lease', from: null, to: lease }],
      },
      { type: 'gone', rev: String(before + 5), ...of, reason: 'unknown', weight: 5, lease },
    ])
    expectShape('history', doc)
  })

  test('is the same in NDJSON, and in a table with a note on what it contains', async () => {
    await changeAll()
    const { changes } = await json('--since', String(before))
    const lines = await tool.run('history', '--since', String(before), '-o', 'ndjson')
    const withoutTimes = (all: readonly ChangeDoc[]) => all.map(({ time: _, ...change }) => change)
    const documents = lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ChangeDoc)
    expect(withoutTimes(documents)).toEqual(withoutTimes(changes))
    expectShape('change', ...documents)
    const table = await tool.run('history', '--since', String(before))
    expect(table.stdout.split('\n')[0]?.split(/ {2,}/)).toEqual(
      ['REV', 'TIME', 'CHANGE', 'SERVICE', 'ADDRESS', 'VERSION', 'WHAT', 'LEASE'].map((head) =>
        expect.stringContaining(head),
      ),
    )
    expect(table.stdout).toMatch(/ {2}~ weight {3}hello {4}127\.0\.0\.1:1001 {2}1\.0\.0 {4}1 → 5 /)
    expect(table.stderr).toContain(`5 changes after rev ${before} (rev ${before + 5})`)
    expect((await tool.run('history', '-o', 'name', '--since', String(before))).stdout).toBe(`${A}\n${B}\n`)
  })

  test('-l, --host and addresses select endpoints that match before or after the change', async () => {
    await put(A, 1)
    await put(A, 5)
    await put(A, 0)
    await put('10.0.0.2:1', 3)
    const since = ['--since', String(before)]
    const types = async (...args: string[]) =>
      (await json('hello', ...since, ...args)).changes.map(({ type }) => type)
    expect(await types('-l', 'weight=5')).toEqual(['weight', 'weight'])
    expect(await types('--host', '10.0.0.2')).toEqual(['added'])
    expect(await types(A)).toEqual(['added', 'weight', 'weight'])
    expect(await types('-l', 'version=2.0.0')).toEqual([])
  })

  test('reports the compacted revision, and refuses only an older --since', async () => {
    await put(A, 1)
    await put(A, 2)
    await etcd.ctl('del', `/hello/1.0.0/${A}`)
    const compacted = before + 3
    await etcd.ctl('compact', String(compacted))
    await put(A, 3)
    const ran = await tool.run('history', 'hello', '--json')
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stderr).toContain(`! The history begins after revision ${compacted}`)
    const doc = JSON.parse(ran.stdout) as HistoryDoc
    expect(doc.compacted).toBe(String(compacted))
    expect(doc.changes).toMatchObject([{ type: 'added', rev: String(before + 4), weight: 3 }])
    const refused = await tool.run('history', 'hello', '--since', String(compacted - 1))
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toBe(
      `✗ etcd no longer has revision ${compacted - 1}: it was compacted\n  Usable: revisions ${compacted} to ${before + 4}\n`,
    )
    expect(await tool.run('history', 'hello', '--since', String(compacted))).toMatchObject({ code: 0 })
  })

  test('refuses a future revision, an unknown service and an invalid address', async () => {
    const future = await tool.run('history', '--since', String(before + 1), '--json')
    expect(future.code).toBe(3)
    expect(JSON.parse(future.stdout)).toMatchObject({ error: { code: 'REVISION_UNAVAILABLE', exit: 3 } })
    await put(A, 1)
    const unknown = await tool.run('history', 'helo')
    expect(unknown).toMatchObject({ code: 4 })
    expect(unknown.stderr).toContain('Did you mean hello?')
    expect(await tool.run('history', 'hello', '1.2.3.4')).toMatchObject({ code: 2 })
    const since = await tool.run('history', '--since', '10x')
    expect(since.stderr).toContain(
      '✗ Invalid --since "10x": expected a revision, such as 1042, or a duration',
    )
  })

  test('is empty for a service without changes in that time, which is not an error', async () => {
    await put(A, 1)
    expect(await tool.run('history', 'hello', '--since', String(before + 1))).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No changes\n',
    })
    expect((await json('hello', '--since', String(before + 1))).changes).toEqual([])
  })
})

/** Replaces the stored samples of the cluster. Times are in minutes before now. */
function setNotes(...samples: readonly (readonly [minutesAgo: number, revision: number])[]): void {
  const [file = ''] = readdirSync(notes)
  const lines = samples.map(([ago, rev]) => `@${Date.now() - ago * 60_000} 5 ${rev} 2\n`)
  writeFileSync(join(notes, file), lines.join(''))
  // The last sample counts as just taken.
  utimesSync(join(notes, file), new Date(), new Date())
}

describe('the times of changes', () => {
  afterEach(forget)

  /** Makes three changes, with a sample after the first (20 minutes ago) and one after the second (10 minutes ago). */
  async function putNoted(): Promise<void> {
    await put(A, 1)
    await tool.run('ls', 'hello')
    await noted()
    await put(A, 2)
    await put(A, 3)
    setNotes([20, before + 1], [10, before + 2])
  }

  test('are bounded by the revision samples that any command stores', async () => {
    await putNoted()
    const { changes } = await json('hello', '--since', String(before))
    const minutesAgo = (iso: string | null) => iso && Math.round((Date.now() - Date.parse(iso)) / 60_000)
    const bounds = changes.map(({ time }) => [minutesAgo(time.after), minutesAgo(time.before)])
    expect(bounds).toEqual([
      [null, 20],
      [20, 10],
      [10, 0],
    ])
  })

  test('let --since 15m begin at the last sample that is older', async () => {
    await putNoted()
    const { since, changes } = await json('hello', '--since', '15m')
    expect(since).toBe(String(before + 1))
    expect(changes).toMatchObject([{ to: 2 }, { to: 3 }])
  })

  test('are unknown without samples, so that --since 15m returns all changes with a note', async () => {
    await put(A, 1)
    const ran = await tool.run('history', 'hello', '--since', '15m', '--json')
    expect(ran.stderr).toContain(
      '! The revision of 15m ago is not known: all changes that etcd still has follow',
    )
    expect(ran.stderr).toContain('The times of the changes are not known: etcd stores no times')
    const { changes } = JSON.parse(ran.stdout) as HistoryDoc
    expect(changes.at(-1)).toMatchObject({ rev: String(before + 1), time: { after: null } })
  })
})

test('a cache folder that is not writable causes no message', async () => {
  await using other = new ResidentTool(etcd.endpoint, { XDG_CACHE_HOME: '/proc' })
  await put(A, 1)
  expect(await other.run('ls', 'hello', '-o', 'name')).toEqual({ code: 0, stdout: `${A}\n`, stderr: '' })
})
