import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { administered } from '../support/administered.js'
import { openPage } from '../support/browser.js'
import { storedWeight } from '../support/etcd-state.js'

const admin = await administered()

/** Serves a page, and forwards every other request to the admin handler, so that a browser sees both as one origin. */
let server: Server
let port: number
let page: string
/** Requests that reached the admin handler, each as "METHOD PATH STATUS". */
let answers: string[]

beforeEach(async () => {
  answers = []
  server = createServer((incoming, outgoing) => {
    if (incoming.url === '/page') {
      outgoing.writeHead(200, { 'content-type': 'text/html' }).end(page)
      return
    }
    const [host, adminPort] = admin.begun.address.split(':')
    const { method, url: path, headers } = incoming
    const sent = request({ host, port: adminPort, method, path, headers, agent: false }, (answer) => {
      answers.push(`${method} ${path} ${answer.statusCode}`)
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(sent)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/** A page that sends requests to the admin handler at this origin in every way that a browser allows. */
function attackOn(origin: string): string {
  return `<!doctype html><title>page</title><img src="${origin}/?weight=2"><img src="${origin}/weight?weight=3"
    referrerpolicy="no-referrer"><iframe name="frame"></iframe>
  <form id="form" method="post" action="${origin}/drain" target="frame"></form>
  <iframe srcdoc='<img src="${origin}/?weight=4">' sandbox></iframe>
  <script>
    const tries = [
      fetch('${origin}/weight?weight=5', { mode: 'no-cors' }),
      fetch('${origin}/weight?weight=6', { mode: 'no-cors', referrerPolicy: 'no-referrer' }),
      fetch('${origin}/weight?weight=7', { method: 'PUT' }),
      fetch('${origin}/drain', { method: 'POST', mode: 'no-cors' }),
    ]
    document.getElementById('form').submit()
    Promise.allSettled(tries).then(() => { document.title = 'tried' })
  </script>`
}

test('a page of another origin cannot change anything', async () => {
  page = attackOn(`http://127.0.0.1:${port}`)
  // Another name is another site; another port of the same host is another origin.
  const other = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  )
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const { port: otherPort } = other.address() as AddressInfo
  try {
    await admin.untouched(async () => {
      for (const origin of [`http://127.0.0.1:${otherPort}`, `http://evil.example:${otherPort}`]) {
        answers = []
        expect(await openPage(`${origin}/page`)).toContain('<title>tried</title>')
        expect(answers, origin).toContain('GET /weight?weight=5 403')
        expect(answers, origin).toContain('GET /?weight=2 403')
        expect(answers, origin).toContain('POST /drain 403')
        expect(
          answers.filter((answer) => / 2\d\d$/.test(answer)),
          origin,
        ).toEqual([])
      }
    })
    expect(await storedWeight(admin.etcd, admin.key)).toBe(1)
  } finally {
    other.close()
  }
})

test('a page by DNS rebinding cannot change anything, although it has the same origin', async () => {
  page = attackOn(`http://rebound.example:${port}`)
  await admin.untouched(async () => {
    expect(await openPage(`http://rebound.example:${port}/page`)).toContain('<title>tried</title>')
  })
  expect(answers).toContain('PUT /weight?weight=7 403')
  expect(answers.filter((answer) => / 2\d\d$/.test(answer))).toEqual([])
})

test('a URL that is opened directly can read, but cannot change anything', async () => {
  expect(await openPage(`http://127.0.0.1:${port}/weight`)).toContain('disco.own-weight/v1')
  await admin.untouched(() => openPage(`http://127.0.0.1:${port}/weight?weight=5`))
  expect(answers).toContain('GET /weight?weight=5 403')
})

test('a page of the handler’s own origin can write', async () => {
  page = `<!doctype html><title>page</title><script>
    fetch('/weight?weight=7', { method: 'PUT' }).then(({ status }) => { document.title = 'got ' + status })
  </script>`
  expect(await openPage(`http://127.0.0.1:${port}/page`)).toContain('<title>got 200</title>')
  expect(await storedWeight(admin.etcd, admin.key)).toBe(7)
})
