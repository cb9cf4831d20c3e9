import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { startGreeter } from '../../src/dev/greeter.js'
import type { Disco } from '../support/disco.js'
import { EtcdApi } from '../support/etcd-api.js'
import { registration } from '../support/etcd-state.js'
import { toolOnOwnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnOwnEtcd()

const greeter = await startGreeter({ port: 0 })
const folder = mkdtempSync(join(tmpdir(), 'disco-ends-'))
afterAll(() => {
  greeter.stop()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

beforeEach(async () => {
  await etcd.ctl('put', ...registration('hello', greeter.addr, { weight: 1 }))
})

describe('a call ends once its reply is printed,', () => {
  async function expectReply(tool: Disco, remark: RegExp): Promise<void> {
    const { code, stdout, stderr } = await tool.run('call', 'hello', 'SayHello')
    expect(stdout).toContain('Hello')
    expect(stderr).toMatch(remark)
    expect(code).toBe(0)
  }

  test.each([
    ['where no folder can be made', '/proc'],
    ['that is a device', '/dev/null'],
  ])('with a cache folder %s', async (_where, cacheHome) => {
    await expectReply(
      disco.with({ env: { XDG_CACHE_HOME: cacheHome } }),
      /! The cache folder \S+ is not used: /,
    )
  })

  test('or fails, if a named pipe is in place of the cached list', async () => {
    const tool = disco.with({ env: { XDG_CACHE_HOME: folder } })
    await expectReply(tool, / at /)
    const [list = ''] = readdirSync(join(folder, 'disco'))
    const file = join(folder, 'disco', list)
    rmSync(file)
    execFileSync('mkfifo', [file])
    await etcd.kill()
    try {
      const { code, stderr } = await tool.run('call', 'hello', 'SayHello')
      expect(stderr).toContain(`! The cached list ${file} is not used: not a regular file`)
      expect(code).toBe(3)
    } finally {
      await etcd.restart()
    }
  })

  test('even if something keeps the event loop busy', async () => {
    const busy = ['--import', 'data:text/javascript,setInterval(()=>{},1000)']
    await expectReply(disco.with({ node: busy }), / at /)
  })
})

describe('output in a shell', () => {
  test('of ten megabytes arrives completely at a slow reader', async () => {
    const api = new EtcdApi(etcd.endpoint)
    const metadata = { text: 'x'.repeat(1_000_000) }
    for (let port = 1; port <= 10; port++) {
      const [key, value] = registration('large', `127.0.0.1:${port}`)
      const large = JSON.stringify({ ...(JSON.parse(value) as object), metadata })
      await api.get('KV/Put', { key: base64(key), value: base64(large) })
    }
    api.close()
    const whole = await disco.run('ls', 'large', '-o', 'ndjson')
    expect(whole.stdout.length).toBeGreaterThan(10_000_000)
    const slow = await disco.into('pipe', 'sleep 2; wc -c', 'ls', 'large', '-o', 'ndjson').exited()
    expect(slow).toEqual({ code: 0, stdout: `${Buffer.byteLength(whole.stdout)}\n`, stderr: whole.stderr })
  })

  test.each(['ls', 'watch hello', 'call hello SayHello -o ndjson --n 1', '--help', '--version', 'ls --help'])(
    'disco %s on a full disk prints one error line, and exits 1',
    async (args) => {
      const { code, stderr } = await disco.shell(`disco ${args} > /dev/full`).exited()
      const failures = stderr.split('\n').filter((line) => line.includes('✗'))
      expect(failures).toEqual(['✗ Cannot write to standard output: no space left on device'])
      expect(stderr).not.toContain('    at ')
      expect(code).toBe(1)
    },
  )

  test('into a file that accepts only the first half is an error', async () => {
    const file = join(folder, 'help')
    const { code, stderr } = await disco.shell(`trap '' XFSZ; ulimit -f 1; disco --help > '${file}'`).exited()
    expect(stderr).toBe('✗ Cannot write to standard output: file too large\n')
    expect(code).toBe(1)
  })

  test('without a reader is discarded without an error', async () => {
    for (const args of ['ls -o name', '--help', '--version']) {
      const line = `(sleep 0.2; disco ${args}) | exec true; echo "\${PIPESTATUS[0]}"`
      expect(await disco.shell(line).exited(), args).toMatchObject({
        stdout: '0\n',
        stderr: expect.not.stringContaining('✗'),
      })
    }
  })

  test('and standard error may be closed', async () => {
    const line =
      'disco ls >&-; echo $?; disco ls -o name 2>&-; echo $?; disco ls -o name 2>/dev/full <&-; echo $?'
    const { stdout, stderr } = await disco.shell(line).exited()
    expect(stdout).toBe('0\nhello\n0\nhello\n0\n')
    expect(stderr).toContain('1 service')
  })
})

describe('a request on standard input', () => {
  const CALL = `disco call hello SayHello -d @-`

  test.each([
    ['a pipe', `echo '{"name":"abc"}' | ${CALL}`, 'Hello abc'],
    ['a process substitution', `${CALL} < <(sleep 0.5; echo '{"name":"abc"}')`, 'Hello abc'],
    ['a file that -d names', `disco call hello SayHello -d @<(echo '{"name":"abc"}')`, 'Hello abc'],
  ])('is read from %s', async (_what, line, reply) => {
    const { code, stdout, stderr } = await disco.shell(line).exited()
    expect(stdout, stderr).toContain(reply)
    expect(code).toBe(0)
  })

  test('that is empty or closed ends the command', async () => {
    writeFileSync(join(folder, 'empty'), '')
    const { stdout } = await disco.shell(`${CALL} < /dev/null; echo $?; ${CALL} <&-; echo $?`).exited()
    const codes = stdout.split('\n').filter((text) => /^\d+$/.test(text))
    expect(new Set(codes).size).toBe(1)
    expect(codes).toHaveLength(2)
  })
})
