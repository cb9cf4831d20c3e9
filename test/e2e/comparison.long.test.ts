import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findEtcd } from '../support/etcd-binary.js'
import { registration } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()
const KEY = '/hello/127.0.0.1:1001'
const [, table = ''] = /etcdctl 3\.5.*?\n\n(\|.*?)\n\n/s.exec(readFileSync('README.md', 'utf8')) ?? []
/** Name of a job, and its commands. */
const rows = table
  .split('\n')
  .slice(2)
  .map((row) => ({
    job: row.split('|')[1]?.trim() ?? '',
    commands: [...row.matchAll(/`((?:etcdctl|disco) [^`]*)`/g)].map(([, command = '']) => command),
  }))

let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disco-comparison-'))
  symlinkSync(findEtcd('etcdctl', '3.5'), join(folder, 'etcdctl'))
  const [, lease = ''] = /lease (\w+)/.exec(await etcd.ctl('lease', 'grant', '600')) ?? []
  for (const port of [1001, 1002, 1003])
    await etcd.ctl('put', ...registration('hello', `127.0.0.1:${port}`, { weight: 1 }), `--lease=${lease}`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

async function ran(command: string): Promise<string> {
  const [, value = ''] = registration('hello', '127.0.0.1:1001', { weight: 5 })
  const line = command.replace('snapshot save', 'snapshot save "$FOLDER/backup"')
  const env = `export PATH="${folder}:$PATH" ETCDCTL_ENDPOINTS=${etcd.endpoint} FOLDER=${folder} VALUE='${value}'`
  const bounded = line.includes(' watch ') ? `timeout 3 ${line}; true` : line
  const { stdout, stderr, code } = await disco.shell(`${env}; ${bounded}`).exited()
  const answered = code === 0 || (code === 1 && line.startsWith('disco diff'))
  expect(answered ? '' : stderr, line).toBe('')
  return stdout
}

async function lease(): Promise<string> {
  const { kvs } = JSON.parse(await etcd.ctl('get', KEY, '-w', 'json')) as { kvs: { lease?: number }[] }
  return String(kvs[0]?.lease ?? 'none')
}

test('the etcdctl commands in the comparison table of README work, and have the effects that the table states', async () => {
  expect(rows.map(({ job }) => job)).toEqual(
    expect.arrayContaining(['list endpoints', 'what changed', 'look back']),
  )
  for (const { job, commands } of rows) {
    expect(commands, job).not.toEqual([])
    for (const command of commands) {
      const output = await ran(command)
      if (command.includes('get --prefix')) expect(output).toContain(`${KEY}\n{"name":"hello"`)
      if (command.startsWith('etcdctl watch')) expect(output).toContain(`PUT\n${KEY}\n`)
      if (command.includes('--ignore-lease')) expect(await lease()).not.toBe('none')
      if (job === 'the same, forgetting') expect(await lease()).toBe('none')
    }
  }
}, 180_000)
