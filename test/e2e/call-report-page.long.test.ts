import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallDoc } from '../../src/cli/call/document.js'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { openPage, seePage } from '../support/browser.js'
import { registration } from '../support/etcd-state.js'
import { untilCalled } from '../support/greeters.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

/** HTML that fetches an image and runs a script if the page does not escape it. */
const HOSTILE_VERSION = '<img src=x onerror=document.title="run">'

let page: string
let doc: CallDoc
let server: Server
let url: string
let requests: string[]
/** The document that the server serves: the report, unless a test replaces it. */
let served: string

beforeAll(async () => {
  const greeters: Greeter[] = await Promise.all([1, 2, 3].map(() => startGreeter({ port: 0 })))
  const folder = mkdtempSync(join(tmpdir(), 'disco-report-'))
  const file = join(folder, 'report.html')
  try {
    const [first, second, third] = greeters as [Greeter, Greeter, Greeter]
    await etcd.ctl('put', ...registration('hello', first.addr, { version: '1.0.0', weight: 6 }))
    await etcd.ctl('put', ...registration('hello', second.addr, { version: '1.0.0', weight: 3 }))
    await etcd.ctl('put', ...registration('hello', third.addr, { version: HOSTILE_VERSION, weight: 1 }))
    const running = disco.start(
      'call',
      'hello',
      'SayHello',
      '--rate',
      '200/s',
      '--duration',
      '8s',
      '--json',
      '--report',
      file,
    )
    // Its calls of more than three seconds.
    await untilCalled(first, 400)
    await etcd.ctl('put', ...registration('hello', second.addr, { version: '1.0.0', weight: 9 }))
    const { stdout, code, stderr } = await running.exited()
    expect(code, stderr).toBe(0)
    doc = JSON.parse(stdout) as CallDoc
    page = readFileSync(file, 'utf8')
  } finally {
    for (const greeter of greeters) greeter.stop()
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
  served = page
  requests = []
  server = createServer((request, response) => {
    requests.push(request.url ?? '')
    response.writeHead(200, { 'content-type': 'text/html' }).end(served)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/report.html`
})
afterAll(() => server.close())

describe('the page of a report in a browser', () => {
  test('fetches nothing, and reports no error', async () => {
    requests = []
    const seen = await seePage(url, { width: 1100, height: 3000 })
    expect(seen.console).toEqual([])
    expect(requests).toEqual(['/report.html'])
    expect(seen.requests).toEqual([url])
  })

  test('draws the shares of each endpoint in its colour, in light and dark mode, and on a narrow screen', async () => {
    const colors = { light: ['#0072b2', '#d55e00', '#009e73'], dark: ['#4aa3dc', '#f08039', '#2fbf94'] }
    const papers = { light: '#ffffff', dark: '#14171b' }
    for (const scheme of ['light', 'dark'] as const) {
      const { image } = await seePage(url, { width: 1100, height: 3000, isDark: scheme === 'dark' })
      const all = image.width * image.height
      expect(image.colors.get(papers[scheme])).toBeGreaterThan(all / 3)
      // The column of an endpoint is about a hundred pixels wide. Its height is its share.
      for (const color of colors[scheme]) expect(image.colors.get(color), color).toBeGreaterThan(5_000)
    }
    const narrow = await seePage(url, { width: 390, height: 3000 })
    for (const color of colors.light) expect(narrow.image.colors.get(color), color).toBeGreaterThan(500)
  })

  test('describes the run, and shows text from the registry as text', async () => {
    const dom = await openPage(url)
    expect(dom).toContain('<title>disco call hello SayHello</title>')
    expect(dom).toContain('&lt;img src=x onerror=document.title="run"&gt;')
    expect(dom).not.toMatch(/<script|<img/)
    // The text that the reader sees: without tags.
    const text = dom
      .replace(/<style>.*?<\/style>/s, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ')
    expect(text).toContain('PASS follows the weights: largest gap')
    expect(text).toContain(`weight 3 → 9`)
    expect(text).toContain('policy weighted_round_robin')
    expect(text).toMatch(
      new RegExp(`${doc.calls.toLocaleString('en-US')} calls ${doc.ok.toLocaleString('en-US')} 100.0% OK`),
    )
    expect(text).toContain('No call failed.')
    for (const { addr } of doc.endpoints) expect(text).toContain(addr)
  })

  test('has a content security policy that blocks unescaped content', async () => {
    const origin = new URL(url).origin
    const smuggled = `<img src="${origin}/leak"><script>document.title = 'run'; fetch('${origin}/fetched')</script>
      <link rel="stylesheet" href="${origin}/style"><style>body { background: url(${origin}/background) }</style>
      <iframe src="${origin}/frame"></iframe></main>`
    served = page.replace('</main>', smuggled)
    requests = []
    try {
      expect(await openPage(url)).toContain('<title>disco call hello SayHello</title>')
      expect(requests).toEqual(['/report.html'])
      // Without the policy, the browser fetches everything. This proves that the check above can fail.
      served = served.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
      await openPage(url)
      expect(requests).toContain('/leak')
      expect(requests).toContain('/fetched')
    } finally {
      served = page
    }
  })
})
