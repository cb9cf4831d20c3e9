import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { etcdctl, startEtcdctl } from '../support/etcdctl.js'
import { BEYOND_TTL_MS, type Server, TTL_SECONDS, until } from './server.js'

/** Tests of the API that people and scripts use, through etcdctl. @param version that the server has to report */
export function testsByEtcdctl(server: () => Server, version: string): void {
  const ctl = (...args: string[]) => etcdctl(server().endpoint, args)
  const ctlJson = async (...args: string[]) => JSON.parse((await ctl(...args, '-w', 'json')).stdout)

  it('puts, gets and deletes', async () => {
    expect((await ctl('put', 'ctl/a', '1')).stdout).toBe('OK\n')
    expect((await ctl('put', '--prev-kv', 'ctl/a', '2')).stdout).toBe('OK\nctl/a\n1\n')
    await ctl('put', 'ctl/b', '3')
    expect((await ctl('get', '--prefix', 'ctl/', '--order', 'DESCEND')).stdout).toBe('ctl/b\n3\nctl/a\n2\n')
    expect((await ctl('get', 'ctl/a', '--from-key', '--keys-only', '--limit', '1')).stdout).toBe('ctl/a\n\n')
    expect((await ctl('del', '--prefix', 'ctl/', '--prev-kv')).stdout).toBe('2\nctl/a\n2\nctl/b\n3\n')
  })

  it('executes the success branch of a transaction, and then the failure branch', async () => {
    await ctl('put', 'ctl/txn', 'old')
    const script = 'value("ctl/txn") = "old"\n\nput ctl/txn new\n\nget ctl/txn\n\n'
    expect((await etcdctl(server().endpoint, ['txn'], script)).stdout).toBe('SUCCESS\n\nOK\n')
    expect((await etcdctl(server().endpoint, ['txn'], script)).stdout).toBe('FAILURE\n\nctl/txn\nnew\n')
  })

  it('grants, lists, keeps alive and revokes a lease', async () => {
    const [, id = ''] =
      /lease (\w+) granted with TTL\(60s\)/.exec((await ctl('lease', 'grant', '60')).stdout) ?? []
    await ctl('put', '--lease', id, 'ctl/leased', '1')
    expect((await ctl('lease', 'list')).stdout).toContain(id)
    expect((await ctl('lease', 'keep-alive', '--once', id)).stdout).toBe(
      `lease ${id} keepalived with TTL(60)\n`,
    )
    const left = await ctl('lease', 'timetolive', '--keys', id)
    expect(left.stdout).toMatch(
      /granted with TTL\(60s\), remaining\(\d+s\), attached keys\(\[ctl\/leased\]\)/,
    )
    expect((await ctl('lease', 'revoke', id)).stdout).toBe(`lease ${id} revoked\n`)
    expect((await ctl('get', 'ctl/leased')).stdout).toBe('')
    const again = await ctl('lease', 'revoke', id)
    expect(again.code).not.toBe(0)
    expect(again.stderr).toContain('etcdserver: requested lease not found')
  })

  it('keeps a lease alive on a stream until the stream is closed', async () => {
    const [, id = ''] =
      /lease (\w+) granted/.exec((await ctl('lease', 'grant', String(TTL_SECONDS))).stdout) ?? []
    await ctl('put', '--lease', id, 'ctl/kept', '1')
    const keeper = startEtcdctl(server().endpoint, ['lease', 'keep-alive', id])
    await delay(BEYOND_TTL_MS)
    expect((await ctl('get', 'ctl/kept', '--print-value-only')).stdout).toBe('1\n')
    keeper.kill('SIGKILL')
    await once(keeper, 'exit')
    await until(async () => (await ctl('get', 'ctl/kept')).stdout === '')
  })

  it('watches from a revision, with previous key-value pairs', async () => {
    await ctl('put', 'ctl/watched', 'before')
    const { header } = await ctlJson('put', 'ctl/watched', '1')
    const args = ['watch', 'ctl/watched', '--prev-kv', '--rev', String(header.revision)]
    const watcher = startEtcdctl(server().endpoint, args)
    let output = ''
    watcher.stdout?.on('data', (chunk) => {
      output += chunk
    })
    await until(() => output.includes('ctl/watched\n1\n'))
    await ctl('del', 'ctl/watched')
    await until(() => output.includes('DELETE'))
    expect(output).toBe('PUT\nctl/watched\nbefore\nctl/watched\n1\nDELETE\nctl/watched\n1\nctl/watched\n\n')
    watcher.kill('SIGKILL')
    await once(watcher, 'exit')
  })

  it('compacts', async () => {
    await ctl('put', 'ctl/compacted', '1')
    const { header } = await ctlJson('put', 'ctl/compacted', '2')
    const { revision } = header
    expect((await ctl('compaction', '--physical', String(revision))).stdout).toBe(
      `compacted revision ${revision}\n`,
    )
    const old = await ctl('get', 'ctl/compacted', '--rev', String(revision - 1))
    expect(old.stderr).toContain('etcdserver: mvcc: required revision has been compacted')
    const twice = await ctl('compaction', String(revision))
    expect(twice.stderr).toContain('etcdserver: mvcc: required revision has been compacted')
  })

  it('holds a lock while a command runs', async () => {
    expect((await ctl('lock', 'ctl/lock', 'echo', 'inside')).stdout).toBe('inside\n')
  })

  it('reports health, status and members', async () => {
    expect((await ctl('endpoint', 'health')).stderr + (await ctl('endpoint', 'health')).stdout).toContain(
      'is healthy',
    )
    const [status] = await ctlJson('endpoint', 'status')
    expect(status.Status.version).toBe(version)
    expect(status.Status.leader).toBe(status.Status.header.member_id)
    const { members } = await ctlJson('member', 'list')
    expect(members).toHaveLength(1)
    expect(members[0].clientURLs).toEqual([`http://${server().endpoint}`])
  })
}
