import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPage, seePage } from '../support/browser.js'

const svg = readFileSync('docs/recording.svg', 'utf8')
const WINDOW = { width: 820, height: 600 }
const PAPER = { light: '#ffffff', dark: '#0d1117' }
const INK = { light: '#1f2328', dark: '#e6edf3' }

let server: Server
let url: string

/** Serves the recording, alone and in a page. */
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/recording.svg') {
      response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(svg)
      return
    }
    const page = `<!doctype html><meta charset="utf-8"><title>page</title><style>body{margin:0}</style>${
      request.url === '/inline' ? svg : '<img src="recording.svg" width="802" alt="">'
    }`
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

test('the recording shows its last screen without animation, in light and dark mode', async () => {
  for (const scheme of ['light', 'dark'] as const) {
    const { image } = await seePage(`${url}/`, { ...WINDOW, isDark: scheme === 'dark', isStill: true })
    expect(image.colors.get(PAPER[scheme])).toBeGreaterThan((image.width * image.height) / 2)
    expect(image.colors.get(INK[scheme]), scheme).toBeGreaterThan(1_000)
  }
})

test('the recording begins with empty terminals if animation is on', async () => {
  const still = await seePage(`${url}/`, { ...WINDOW, isStill: true })
  const moving = await seePage(`${url}/`, WINDOW)
  const ink = (seen: typeof still) => seen.image.colors.get(INK.light) ?? 0
  expect(ink(moving)).toBeLessThan(ink(still) / 4)
  expect(moving.console).toEqual([])
})

test('the recording contains the output of the commands as text', async () => {
  const dom = await openPage(`${url}/inline`)
  const text = dom.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
  expect(text).toContain('PASS follows the weights')
  expect(text).toContain('5 endpoints · live')
  expect(text).toMatch(/weight 10 → 2 \(rev \d+, lease kept\)/)
  expect(text).toMatch(/unregistered \(rev \d+\)/)
})
