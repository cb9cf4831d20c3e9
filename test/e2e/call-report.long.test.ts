import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CallDoc, ComparisonDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { ENDLESS, FROM_PROTO, SOON } from '../support/calls-of-hello.js'
import { until } from '../support/disco.js'
import { startEchoServer } from '../support/echo-server.js'
import { putAll, registration } from '../support/etcd-state.js'
import { untilCalled } from '../support/greeters.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()
const greeters = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
const [first, second] = greeters as [(typeof greeters)[number], (typeof greeters)[number]]
afterAll(() => {
  for (const greeter of greeters) greeter.stop()
})

let folder: string
let html: string
let xml: string
let both: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-report-'))
  html = join(folder, 'run.html')
  xml = join(folder, 'run.xml')
  both = ['--report', html, '--report', xml]
})
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

async function put(): Promise<void> {
  await putAll(etcd, 'hello', [
    { addr: first.addr, weight: 1 },
    { addr: second.addr, weight: 2 },
  ])
}

/** Test cases of the JUnit file by name, each with its result. */
function cases(): Record<string, string> {
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(
    readFileSync(xml, 'utf8'),
    'application/xml',
  )
  return Object.fromEntries(
    [...document.getElementsByTagName('testcase')].map((testcase) => [
      testcase.getAttribute('name'),
      ['failure', 'error', 'skipped'].find((name) => testcase.getElementsByTagName(name).length > 0) ??
        'passed',
    ]),
  )
}

function callsOnPage(): number[] {
  const found = readFileSync(html, 'utf8').matchAll(/"calls"><dd><data value="(\d+)">/g)
  return [...found].map(([, calls]) => Number(calls))
}

describe('reports are written', () => {
  test('when a run is ended by Ctrl-C, and replace older files in one step', async () => {
    await put()
    writeFileSync(html, 'older')
    const running = disco.start('call', 'hello', 'SayHello', ...ENDLESS, '--json', ...both)
    await untilCalled(second, 50)
    expect(readFileSync(html, 'utf8')).toBe('older')
    const { stdout, stderr, code } = await running.end('SIGINT')
    expect([code, stderr]).toEqual([130, `  Report: ${html}\n  Report: ${xml}\n`])
    expect(callsOnPage()).toEqual([(JSON.parse(stdout) as CallDoc).calls])
    expect(readFileSync(html, 'utf8')).toContain('Interrupted after')
    expect(cases()).toMatchObject({ run: 'error', calls: 'passed' })
    expect(readdirSync(folder).sort()).toEqual(['run.html', 'run.xml'])
    expect(statSync(html).mode & 0o777).toBe(0o666 & ~process.umask())
  })

  test('when no endpoint is READY, and when the service does not exist', async () => {
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1'))
    const unready = await disco.run('call', 'hello', 'SayHello', '--n', '10', ...SOON, ...both)
    expect(unready.code).toBe(7)
    expect(unready.stderr).toContain(`  Report: ${html}\n`)
    expect(cases()).toEqual({ run: 'error' })
    for (const file of [html, xml]) {
      expect(readFileSync(file, 'utf8')).toContain('hello has no endpoint that is READY after')
      expect(readFileSync(file, 'utf8')).toContain('127.0.0.1:1 connection refused')
    }
    const missing = await disco.run('call', 'nobody', 'SayHello', '--json', ...both)
    expect([missing.code, JSON.parse(missing.stdout).error.code]).toEqual([4, 'NOT_FOUND'])
    expect(readFileSync(xml, 'utf8')).toContain('No service &quot;nobody&quot;')
  })

  test('with the finished runs when the run of a later policy fails, and name the policies without a result', async () => {
    await put()
    const policies = ['--policy', 'rr,random,lr']
    const load = ['--n', '400', '--rate', '100', ...SOON]
    const running = disco.start('call', 'hello', 'SayHello', ...policies, ...load, ...both)
    await untilCalled(second, 20)
    await etcd.ctl('del', '--prefix', '/hello')
    const { code, stderr } = await running.exited()
    expect(code, stderr).toBe(4)
    expect(callsOnPage()).toEqual([400])
    const page = readFileSync(html, 'utf8')
    expect(page).toContain('Policy round_robin')
    // The ready count is from the start of the run.
    expect(page).toContain('2 of 2 ready')
    expect(page).toMatch(/NOT_FOUND.*No result of random, least_request: exit code 4\./s)
    expect(cases()).toMatchObject({ calls: expect.any(String) as string, run: 'skipped' })
    expect(readFileSync(xml, 'utf8')).toMatch(
      /SayHello round_robin".*SayHello random" [^>]*errors="1".*NOT_FOUND.*SayHello least_request" .*not begun/s,
    )
  })

  test('for failed calls, with each status and its first message', async () => {
    await put()
    await using server = await startEchoServer(['grpc.reflection.v1alpha'])
    await etcd.ctl('put', ...registration('hello', server.addr))
    const { code } = await disco.run('call', 'hello', 'SayHello', '--n', '30', '--assert', 'p50<1m', ...both)
    expect(code).toBe(7)
    expect(cases()).toMatchObject({ calls: 'failure', 'p50<1m': 'passed' })
    expect(readFileSync(html, 'utf8')).toMatch(/<table class="errors">.*UNIMPLEMENTED.*<\/table>/s)
  })

  test('for a single call, a stream, and an address without a registry', async () => {
    await put()
    const single = await disco.run('call', 'hello', 'SayHello', ...both)
    expect(single.code, single.stderr).toBe(0)
    expect(JSON.parse(single.stdout)).toMatchObject({ endpoint: expect.any(String) })
    expect(cases()).toEqual({ calls: 'passed' })
    expect(callsOnPage()).toEqual([1])
    const direct = await disco.run('call', first.addr, 'SayHello', '--n', '20', '--json', ...both)
    expect(direct.code, direct.stderr).toBe(0)
    expect(cases()).toEqual({ calls: 'passed', verdict: 'passed', 'weight served': 'passed' })
    await using server = await startEchoServer(['grpc.reflection.v1alpha'])
    const args = ['Down', '-d', '{"aString":"a"}', ...FROM_PROTO]
    const stream = await disco.run('call', server.addr, ...args, '--n', '3', ...both)
    expect(stream.code, stream.stderr).toBe(0)
    expect(callsOnPage()).toEqual([3])
  })

  test('for several policies in one file, and for a run at a rate', async () => {
    await put()
    const args = ['--policy', 'rr,wrr', '--rate', '100', '--duration', '500ms', '--json', ...both]
    const { stdout, code, stderr } = await disco.run('call', 'hello', 'SayHello', ...args)
    expect(code, stderr).toBe(0)
    const { runs } = JSON.parse(stdout) as ComparisonDoc
    expect(callsOnPage()).toEqual(runs.map(({ calls }) => calls))
    expect(readFileSync(xml, 'utf8').match(/<testsuite /g)).toHaveLength(2)
  })

  test('for several registries', async () => {
    await put()
    mkdirSync(join(folder, 'disco'))
    const entry = (name: string) => `  ${name}: { endpoints: "${etcd.endpoint}" }\n`
    writeFileSync(join(folder, 'disco/config.yaml'), `contexts:\n${entry('a')}${entry('b')}`, { mode: 0o600 })
    const tool = disco.with({ env: { XDG_CONFIG_HOME: folder, DISCO_ENDPOINTS: '' } })
    const args = ['call', 'hello', 'SayHello', '-C', 'a=50,b=50', '--n', '60', '--json', ...both]
    const { stdout, code, stderr } = await tool.run(...args)
    expect(code, stderr).toBe(0)
    const page = readFileSync(html, 'utf8')
    for (const { registry, addr, picks } of (JSON.parse(stdout) as CallDoc).endpoints) {
      expect(page).toMatch(new RegExp(`<bdi>${registry} ${addr}</bdi></td>.*<data value="${picks}">`))
    }
    expect(page).toContain('<table class="registries">')
  })
})

test('call exits 1 if the folder of the report no longer exists at the end, names the report, and still prints its output', async () => {
  await put()
  const running = disco.start(
    'call',
    'hello',
    'SayHello',
    ...ENDLESS,
    '--duration',
    '2s',
    '--json',
    '--report',
    html,
  )
  await untilCalled(second, 10)
  rmSync(folder, { recursive: true, maxRetries: 5 })
  const { stdout, stderr, code } = await running.exited()
  expect((JSON.parse(stdout) as CallDoc).schema).toBe('disco.call/v1')
  expect([code, stderr]).toEqual([1, `✗ The report ${html} cannot be written: no such file or directory\n`])
})

test('a report is written even if the reader of standard output has exited', async () => {
  await put()
  const line = `disco call hello SayHello ${ENDLESS.join(' ')} -o ndjson --report ${html} | head -1`
  await disco.shell(line).exited()
  await until(
    () => existsSync(html),
    () => 'the report',
  )
  expect(callsOnPage()[0]).toBeGreaterThan(0)
})
