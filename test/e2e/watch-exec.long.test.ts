import { existsSync, readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { isAlive } from '../support/script.js'
import { PORTS } from '../support/stopped-watch.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'
import { Writer } from '../support/writer.js'

const { etcd, disco } = await toolOnEtcd()

const put = (addr: string, weight = 1) => putAll(etcd, 'hello', [{ addr, weight }])

function pidsIn(text: string): number[] {
  return [...text.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
}

describe('watch --exec', () => {
  test('reports how often a command has failed, and continues', async () => {
    const command =
      'case $DISCO_TYPE in synced) exit 3;; added) kill -9 $$;; weight) no-such-program-here;; *) echo fine;; esac'
    const watch = disco.start('watch', 'hello', '--exec', command)
    await watch.printed(/! --exec: exit code 3, on synced hello \(rev \d+\); 1 of 1 run failed\n/)
    await put('127.0.0.1:1')
    await watch.printed(
      /! --exec: ended by SIGKILL, on added hello 127\.0\.0\.1:1 \(rev \d+\); 2 of 2 runs failed\n/,
    )
    await put('127.0.0.1:1', 2)
    await watch.printed(
      /! --exec: exit code 127, on weight hello 127\.0\.0\.1:1 \(rev \d+\); 3 of 3 runs failed\n/,
    )
    await etcd.ctl('del', '/hello/127.0.0.1:1')
    await watch.printed('fine')
    expect((await watch.end('SIGINT')).code).toBe(130)
  })

  test('runs commands in order, one at a time', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(1)
    const command = 'echo "begin $DISCO_REV"; sleep 0.02; echo "end $DISCO_REV"'
    const watch = disco.start('watch', 'hello', '--count', '40', '--exec', command)
    await watch.printed('end ')
    await writer.putMany(40, 1)
    const { stdout } = await watch.exited()
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(82)
    const revs = lines.filter((line) => line.startsWith('begin')).map((line) => Number(line.slice(6)))
    expect(revs).toEqual(revs.toSorted((a, b) => a - b))
    expect(lines).toEqual(revs.flatMap((rev) => [`begin ${rev}`, `end ${rev}`]))
  })

  test('--latest runs once for all changes during a run, with the newest list', async () => {
    await put('127.0.0.1:1', 1)
    const command =
      'echo "begin $DISCO_TYPE $DISCO_REV $(grep -c addr\\" "$DISCO_SNAPSHOT_FILE")"; [ $DISCO_TYPE != synced ] || sleep 3'
    const watch = disco.start('watch', 'hello', '--latest', '--count', '30', '--exec', command)
    await watch.printed('begin synced')
    await putAll(
      etcd,
      'hello',
      Array.from({ length: 30 }, (_, at) => ({ addr: `127.0.0.1:${at + 2}` })),
    )
    const { code, stdout } = await watch.exited()
    expect(code).toBe(0)
    const [first, last, ...more] = stdout.trimEnd().split('\n')
    expect(more).toEqual([])
    expect(first).toMatch(/^begin synced \d+ 1$/)
    expect(last).toMatch(/^begin added \d+ 31$/)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends the command and its child processes, and removes the file',
    async (signal) => {
      const command = `(trap '' TERM; echo "pid $(sh -c 'echo $PPID')"; exec sleep 100) & echo "pid $$ file $DISCO_SNAPSHOT_FILE"; sleep 100`
      for (const flags of [[], ['--latest']]) {
        const watch = disco.start('watch', 'hello', ...flags, '--exec', command)
        await watch.printed(/pid \d+/, 2)
        const { code, stdout, stderr } = await watch.end(signal)
        expect(code).toBe(130)
        expect(pidsIn(stdout).filter(isAlive)).toEqual([])
        const [, file = ''] = /file (\S+)/.exec(stdout) ?? []
        expect(existsSync(dirname(file))).toBe(false)
        expect(stderr).not.toContain('failed')
      }
    },
  )

  test('a second Ctrl-C kills a command that ignores the first one', async () => {
    const watch = disco.start(
      'watch',
      'hello',
      '--exec',
      `trap '' TERM; echo "pid $$"; while :; do sleep 0.1; done`,
    )
    await watch.printed('pid ')
    watch.child.kill('SIGINT')
    await delay(300)
    const startMs = performance.now()
    expect((await watch.end('SIGINT')).code).toBe(130)
    // Without the second Ctrl-C, SIGKILL is sent after five seconds.
    expect(performance.now() - startMs).toBeLessThan(4_000)
    expect(pidsIn(watch.stdout).filter(isAlive)).toEqual([])
  })

  test('kills processes that a command has left before it runs the next one', async () => {
    const watch = disco.start('watch', 'hello', '--exec', 'sleep 100 & echo "pid $!"')
    await watch.printed('pid ')
    await put('127.0.0.1:1')
    await watch.printed('pid ', 2)
    const [first = 0] = pidsIn(watch.stdout)
    expect(isAlive(first)).toBe(false)
    await watch.end('SIGINT')
    expect(pidsIn(watch.stdout).filter(isAlive)).toEqual([])
  })

  test('continues after a command that does not read its input', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    const { api } = writer
    const watch = disco.start('watch', 'hello', '--exec', 'exec <&-; sleep 0.1; echo "ran $DISCO_TYPE"')
    await watch.printed('ran synced')
    // Larger than the buffer of a pipe.
    const name = `127.0.0.1:1/${'x'.repeat(100_000)}`
    const value = JSON.stringify({ name: 'hello', addr: '127.0.0.1:1', weight: 1, metadata: { name } })
    await api.call('KV/Put', {
      key: Buffer.from(`/hello/${name}`).toString('base64'),
      value: Buffer.from(value).toString('base64'),
    })
    await watch.printed('ran added')
    await put('127.0.0.1:2')
    await watch.printed('ran added', 2)
    expect((await watch.end('SIGTERM')).code).toBe(130)
  })

  test('passes text from the registry neither to a shell, nor unescaped to a terminal', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    const { api } = writer
    const watch = disco.start(
      'watch',
      '--exec',
      'printf "%s\\n" "$DISCO_TYPE:$DISCO_SERVICE:$DISCO_ADDR"; cat',
    )
    await watch.printed('synced')
    const hostile = `$(touch pwned);\`touch pwned\`\u001b[31m\u0000"'`
    const value = JSON.stringify({ name: hostile, addr: '127.0.0.1:1', weight: 1 })
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    await api.call('KV/Put', { key: base64(`/${hostile}/127.0.0.1:1`), value: base64(value) })
    await watch.printed('"type":"added"')
    const { stdout, stderr } = await watch.end('SIGINT')
    expect(stdout).toContain(`added:$(touch pwned);\`touch pwned\`\\u001b[31m\\u0000"':127.0.0.1:1\n`)
    const event = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { service: string }
    expect(event.service).toBe(hostile)
    expect(stdout + stderr).not.toMatch(/[\u0000\u001b]/)
    expect(existsSync('pwned')).toBe(false)
  })

  test('with -o ndjson prints only events on standard output', async () => {
    await put('127.0.0.1:1')
    const watch = disco.start('watch', 'hello', '-o', 'ndjson', '--exec', 'echo "from the command"')
    await watch.printed('from the command')
    const { stdout, stderr } = await watch.end('SIGINT')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(['synced'])
    expect(stderr).toBe('from the command\n')
  })

  test('without --latest, changes during a slow command stay in etcd: they use no memory, and none is lost', async () => {
    using writer = new Writer(etcd.endpoint, 'hello')
    await writer.fill(PORTS.length)
    await using file = await temporaryFile('unused', '')
    const command = `until [ -e '${file.path}.go' ]; do sleep 0.2; done; [ "$DISCO_TO" != 2000 ] || echo "last of $DISCO_ADDR"`
    const watch = disco.start('watch', 'hello', '-o', 'ndjson', '--exec', command)
    await watch.printed('synced')
    const status = `/proc/${watch.child.pid}/status`
    const memoryMib = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]) / 1024
    await delay(1_000)
    const before = memoryMib()
    // 64 MB of values.
    for (let at = 0; at < 400; at++) await writer.putTogether(PORTS, 2 + at, 8_000)
    await delay(1_000)
    expect(watch.stdout.match(/"type"/g)).toHaveLength(1)
    expect(memoryMib() - before).toBeLessThan(40)
    await watch.printed('--exec runs for 10s, on synced hello')
    expect(watch.stderr).toContain('later changes wait in etcd')
    const last = await writer.putTogether(PORTS, 2_000)
    // After the compaction only the difference is delivered, instead of 8,000 runs.
    await writer.compact(last)
    await writeFile(`${file.path}.go`, '')
    await watch.printed('last of', PORTS.length)
    expect((await watch.end('SIGINT')).code).toBe(130)
  })

  test('leaves no folder if etcd is unavailable', async () => {
    // A folder of its own: tests of other files run watches meanwhile.
    await using file = await temporaryFile('unused', '')
    const folder = dirname(file.path)
    const ran = await disco
      .with({ env: { DISCO_ENDPOINTS: '127.0.0.1:1', TMPDIR: folder } })
      .run('watch', 'hello', '--exec', 'echo ran', '--command-timeout', '1s')
    expect(ran).toMatchObject({ code: 3, stdout: '' })
    expect((await readdir(folder)).filter((name) => name.startsWith('disco-watch-'))).toEqual([])
  })

  test('reports a snapshot file that cannot be created as a usage error', async () => {
    const ran = await disco.with({ env: { TMPDIR: '/dev/null' } }).run('watch', 'hello', '--exec', 'echo ran')
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain('✗ The snapshot file of --exec cannot be created: not a directory\n')
  })

  test('on a terminal shows the output of the command, and does not use the alternate screen', async () => {
    await put('127.0.0.1:1')
    const watch = disco.onTerminal(80, 24, 'watch', 'hello', '--exec', 'echo "from the command"')
    await watch.printed('from the command')
    await put('127.0.0.1:2')
    await watch.printed('from the command', 2)
    const { stdout } = await watch.pressCtrlC()
    expect(stdout).not.toContain('\u001b[?1049h')
    expect(stdout).toContain('+ added')
    await until(
      () => watch.child.exitCode !== null,
      () => 'the end',
    )
  })
})
