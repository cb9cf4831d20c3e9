import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { registration } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, tool } = await toolOnEtcd()
const folder = mkdtempSync(join(tmpdir(), 'disco-report-'))
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

test('a run writes an HTML page and a JUnit file with the numbers of its JSON, and names the files on standard error only', async () => {
  const greeters = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
  try {
    for (const [at, { addr }] of greeters.entries()) {
      await etcd.ctl('put', ...registration('hello', addr, { weight: at + 1 }))
    }
    const [html, xml] = [join(folder, 'run.html'), join(folder, 'run.xml')]
    const args = ['call', 'hello', 'SayHello', '--n', '300', '-H', 'token=s3cret', '-d', '{"name":"s3cret"}']
    const { stdout, stderr, code } = await tool.run(...args, '--json', '--report', html, '--report', xml)
    expect(code, stderr).toBe(0)
    expect(stderr).toBe(`  Report: ${html}\n  Report: ${xml}\n`)
    const doc = JSON.parse(stdout) as CallDoc
    const page = readFileSync(html, 'utf8')
    const figure = (name: string) =>
      Number(new RegExp(`"${name}"><dd><data value="([^"]*)">`).exec(page)?.[1])
    expect([figure('calls'), figure('p99'), figure('max')]).toEqual([
      300,
      doc.latencyMs.p99,
      doc.latencyMs.max,
    ])
    for (const { addr, picks } of doc.endpoints) {
      expect(page).toMatch(new RegExp(`<td><bdi>${addr}</bdi></td>.*<data value="${picks}">`))
    }
    const junit = readFileSync(xml, 'utf8')
    expect(junit).toContain(`<property name="latency p99 ms" value="${doc.latencyMs.p99}"/>`)
    expect(junit).toMatch(/<testsuites [^>]*tests="3" failures="0" errors="0" skipped="0"/)
    for (const text of [page, junit]) {
      expect(text).toContain('-H &#39;token: …&#39; -d &#39;…&#39; --json')
      expect(text).not.toContain('s3cret')
    }
    // No temporary file is left.
    expect(readdirSync(folder).sort()).toEqual(['run.html', 'run.xml'])
  } finally {
    for (const greeter of greeters) greeter.stop()
  }
})

describe('a report that cannot be written is refused before any call', () => {
  test.each([
    [
      'run.pdf',
      'Unknown kind of report: --report "run.pdf"',
      'FILE.html (a page with charts), FILE.xml (JUnit',
    ],
    ['/proc/none/run.html', 'the folder /proc/none does not exist', 'Create it: mkdir -p /proc/none'],
    ['/etc/hosts/run.html', '/etc/hosts is not a folder', ''],
    ['.html', 'Unknown kind of report', ''],
  ])('%s', async (file, message, hint) => {
    const { code, stderr } = await tool.run('call', 'hello', 'SayHello', '--report', file)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  })

  test('a file that is named twice, and a report of a command without calls', async () => {
    const file = join(folder, 'twice.html')
    const twice = await tool.run('call', 'hello', 'SayHello', '--report', file, '--report', file)
    expect([twice.code, twice.stderr]).toEqual([2, `✗ --report names ${file} twice\n`])
    for (const args of [['hello'], ['hello', 'SayHello', '--describe']]) {
      const { code, stderr } = await tool.run('call', ...args, '--report', file)
      expect([code, stderr]).toEqual([2, '✗ --report has no effect without calls\n'])
    }
  })
})
