import { describe, expect, test } from 'vitest'
import { grantLease, putAll, registration, revision } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

const put = (addr: string, weight: number, ...flags: string[]) =>
  etcd.ctl('put', ...registration('hello', addr, { weight }), ...flags)

/** Creates a history of five changes of hello. @returns the revision before the changes */
async function withHistory(): Promise<number> {
  await put('127.0.0.1:1', 1)
  const since = await revision(etcd)
  const lease = await grantLease(etcd, 100)
  await put('127.0.0.1:2', 3, `--lease=${lease}`)
  await put('127.0.0.1:1', 2)
  await etcd.ctl('put', '/hello2/127.0.0.1:9', 'of another service')
  await etcd.ctl('del', '/hello/127.0.0.1:1')
  await etcd.ctl('lease', 'revoke', lease)
  await put('127.0.0.1:3', 1)
  return since
}

describe('watch --since', () => {
  test('prints the list at that revision, replays later changes, and continues', async () => {
    const since = await withHistory()
    const watch = disco.start('watch', 'hello', '--since', String(since))
    await watch.printed('"addr":"127.0.0.1:3"')
    await put('127.0.0.1:4', 1)
    await watch.printed('"addr":"127.0.0.1:4"')
    const { code } = await watch.end('SIGINT')
    expect(code).toBe(130)
    const at = (behind: number) => ({ rev: String(since + behind), past: true })
    const events = watch.events()
    expect(events).toMatchObject([
      { type: 'synced', endpoints: 1, weight: 1, ...at(0) },
      { type: 'added', addr: '127.0.0.1:2', share: 0.75, ...at(1) },
      { type: 'weight', addr: '127.0.0.1:1', from: 1, to: 2, share: { from: 0.25, to: 0.4 }, ...at(2) },
      { type: 'gone', addr: '127.0.0.1:1', reason: 'deregistered', ...at(4) },
      // The lease does not exist any more, so it is unknown whether it had expired at that revision.
      { type: 'gone', addr: '127.0.0.1:2', reason: 'unknown', ...at(5) },
      { type: 'added', addr: '127.0.0.1:3', ...at(6) },
      { type: 'added', addr: '127.0.0.1:4', rev: String(since + 7) },
    ])
    expect(events.at(-1)).not.toHaveProperty('past')
  })

  test('runs --exec for each past change with the list at its revision, and --count includes them', async () => {
    const since = await withHistory()
    const command = 'echo "$DISCO_TYPE $DISCO_REV $(grep -c addr\\" "$DISCO_SNAPSHOT_FILE")"'
    const ran = await disco.run('watch', 'hello', '--since', String(since), '--count', '4', '--exec', command)
    expect(ran.code).toBe(0)
    expect(ran.stdout).toBe(
      [
        [`synced ${since} 1`, `added ${since + 1} 2`, `weight ${since + 2} 2`],
        [`gone ${since + 4} 1`, `gone ${since + 5} 0`, ''],
      ]
        .flat()
        .join('\n'),
    )
  })

  test('prints no times for past changes, and ends on a terminal with the current table', async () => {
    const since = await withHistory()
    const lines = await disco.run('watch', 'hello', '--since', String(since), '--count', '5', '-o', 'table')
    expect(
      lines.stdout
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('--------  rev ')),
    ).toEqual([])
    const watch = disco.onTerminal(120, 24, 'watch', 'hello', '--since', String(since))
    await watch.printed('127.0.0.1:3')
    const { stdout } = await watch.pressCtrlC()
    expect(stdout).toContain('127.0.0.1:3')
  })

  test('exits 3 for a compacted revision and names the oldest available one, which works', async () => {
    const since = await withHistory()
    await etcd.ctl('compact', String(since + 3))
    const ran = await disco.run('watch', 'hello', '--since', String(since), '--json')
    expect(ran.code).toBe(3)
    const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string; hint: string } }
    expect(error.code).toBe('REVISION_UNAVAILABLE')
    expect(error.message).toContain(`etcd no longer has revision ${since}: it was compacted`)
    expect(error.hint).toContain(`${since + 3} to ${since + 6}`)
    const oldest = await disco.run('watch', 'hello', '--since', String(since + 3), '--count', '3')
    expect(oldest.code).toBe(0)
    expect(oldest.stdout.match(/"type":"\w+"/g)).toEqual(
      ['synced', 'gone', 'gone', 'added'].map((type) => `"type":"${type}"`),
    )
    const everything = await disco.run('watch', '--since', String(since), '-o', 'table')
    expect(everything).toMatchObject({ code: 3, stdout: '' })
  })

  test('exits 3 for a future revision', async () => {
    const now = await revision(etcd)
    const future = await disco.run('watch', 'hello', '--since', String(now + 10))
    expect(future.code).toBe(3)
    expect(future.stderr).toContain(`etcd has not reached revision ${now + 10}: it is at ${now}`)
  })

  test('continues with the current list if etcd compacts the remaining changes during a slow replay', async () => {
    const since = await withHistory()
    await putAll(
      etcd,
      'hello',
      Array.from({ length: 100 }, (_, at) => ({ addr: `127.0.0.2:${at + 1}` })),
    )
    const command = '[ $DISCO_TYPE != synced ] || sleep 3; echo "$DISCO_ADDR"'
    const watch = disco.start('watch', 'hello', '--since', String(since), '--exec', command)
    await watch.printed('synced')
    const now = await revision(etcd)
    await etcd.ctl('compact', String(now))
    await watch.printed('127.0.0.2:100\n')
    expect((await watch.end('SIGINT')).code).toBe(130)
  })
})
