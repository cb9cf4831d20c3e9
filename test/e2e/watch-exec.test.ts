import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { putAll } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

describe('watch --exec', () => {
  test('runs for the first list and each change, with the event on standard input, variables, and the list in a file', async () => {
    await putAll(etcd, 'hello', [{ addr: '127.0.0.1:1', weight: 2 }])
    const variables = ['TYPE', 'SERVICE', 'ADDR', 'REV', 'FROM', 'TO'].map((name) => `$DISCO_${name}`)
    const command = [
      `echo "${variables.join('|')}|$(stat -c %a "$DISCO_SNAPSHOT_FILE")|$(grep -c '"addr"' "$DISCO_SNAPSHOT_FILE")"`,
      'cat',
      'echo "file $DISCO_SNAPSHOT_FILE"',
    ].join('; ')
    const watch = disco.start('watch', 'hello', '--count', '2', '--exec', command)
    await watch.printed('synced|')
    await putAll(etcd, 'hello', [{ addr: '127.0.0.1:1', weight: 5 }])
    await putAll(etcd, 'hello', [{ addr: '127.0.0.1:2', weight: 1 }])
    const { code, stdout, stderr } = await watch.exited()
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    const rev = Number(/"rev":"(\d+)"/.exec(lines[1] ?? '')?.[1])
    expect([lines[0], lines[3], lines[6]]).toEqual([
      `synced|hello||${rev}|||600|1`,
      `weight|hello|127.0.0.1:1|${rev + 1}|2|5|600|1`,
      `added|hello|127.0.0.1:2|${rev + 2}|||600|2`,
    ])
    const events = [lines[1], lines[4], lines[7]].map((line) => JSON.parse(line ?? '') as object)
    expect(events).toMatchObject([
      { schema: 'disco.event/v1', type: 'synced', endpoints: 1 },
      { type: 'weight', from: 2, to: 5, addr: '127.0.0.1:1' },
      { type: 'added', addr: '127.0.0.1:2' },
    ])
    const file = lines[2]?.replace(/^file /, '') ?? ''
    expect(existsSync(dirname(file))).toBe(false)
    // The events are also printed as lines on standard error.
    expect(stderr).toMatch(/rev \d+ +synced .*\n.*~ weight hello 127\.0\.0\.1:1 {2}2 → 5.*\n.*\+ added/)
  })

  test('refuses a flag without effect, and an empty command', async () => {
    expect(await tool.run('watch', 'hello', '--latest')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--latest has no effect without --exec') as string,
    })
    expect((await tool.run('watch', 'hello', '--exec', '')).stderr).toContain('--exec is empty')
  })
})
