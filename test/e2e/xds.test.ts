import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { XdsDoc } from '../../src/cli/xds/document.js'
import { AdsClient, weightsIn } from '../support/ads-client.js'
import { until } from '../support/disco.js'
import { putAll } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { expectShape } from '../support/shape.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const stops: (() => unknown)[] = []
afterEach(() => {
  for (const stop of stops.splice(0).reverse()) stop()
})

const A = '10.0.0.1:1001'
const B = '10.0.0.2:1001'

/** A registration of `carts` in the layout kratos. */
const KRATOS =
  '{"id":"a","name":"carts","version":"1.0.0","metadata":{},"endpoints":["grpc://10.0.0.1:1001"]}'

it('xds serves weights, reports rejections and unknown names, lists clients, logs their answers, and ends', async () => {
  await putAll(etcd, 'hello', [
    { addr: A, weight: 1 },
    { addr: B, weight: 3 },
    { addr: 'unix:/run/hello', weight: 1 },
  ])
  await using log = await temporaryFile('log', '')
  const [port = 0] = await freePorts(1)
  const xds = disco.start('xds', '--listen', ':0', '--admin', `:${port}`, '--log', log.path, '--json')
  await xds.printed(/\{.*\}\n/)
  const doc = JSON.parse(xds.stdout) as XdsDoc
  expectShape('xds', doc)
  expect(doc.services).toEqual([{ service: 'hello', endpoints: 2, omitted: 1, canary: null }])
  expect(xds.stderr).toContain('unix:/run/hello is a Unix socket, which gRPC clients do not take by xDS')
  using client = new AdsClient(doc.listen, { node: 'shop-\u001b[31m7' })
  client.ask('EDS', 'hello', 'helo')
  const first = await client.response('EDS', 0)
  expect(weightsIn(first)).toEqual({ hello: { [A]: 1, [B]: 3 }, helo: {} })
  await xds.printed('asks for "helo", which is not served')
  expect(xds.stderr).toContain('hello')
  client.answer(first, ['hello'], 'no such\u001b[2J weight')
  await xds.printed('rejects EDS')
  expect(xds.stderr).toContain('shop-\\u001b[31m7')
  expect(xds.stderr).not.toContain('\u001b')
  await disco.run('weight', 'hello', B, '5')
  const second = await client.response('EDS', 1)
  expect(weightsIn(second)).toEqual({ hello: { [A]: 1, [B]: 5 } })
  client.answer(second, ['hello'])
  await xds.printed('accepts EDS')
  const ask = async (path: string) => await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  const clients = JSON.parse(await ask('/clients'))
  expectShape('xds-clients', clients)
  expect(clients.clients).toMatchObject([
    {
      node: 'shop-\u001b[31m7',
      types: [{ type: 'EDS', names: 1, sent: second.versionInfo, waiting: false }],
    },
  ])
  const endpoints = JSON.parse(await ask('/endpoints'))
  expectShape('xds-endpoints', endpoints)
  expect(endpoints.services[0].endpoints).toMatchObject([
    { addr: A, sockets: [A], weight: 1 },
    { addr: B, weight: 5 },
  ])
  const health = JSON.parse(await ask('/healthz'))
  expectShape('xds-health', health)
  expect(health).toMatchObject({ healthy: true, problem: null, registry: null })
  const metrics = await ask('/metrics')
  for (const line of [
    'disco_xds_acks_total{type="EDS"} 1',
    'disco_xds_nacks_total{type="EDS"} 1',
    'disco_xds_responses_total{type="EDS"} 2',
    'disco_xds_unknown_names_total 1',
    'disco_xds_streams 1',
    'disco_xds_endpoints{service="hello"} 2',
    'disco_xds_omitted{service="hello"} 1',
    'disco_xds_registry_up 1',
  ])
    expect(metrics).toContain(`\n${line}\n`)
  expect(await xds.end('SIGTERM')).toMatchObject({ code: 0 })
  const events = readFileSync(log.path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.map(({ event, type, reason }) => [event, type, reason])).toEqual([
    ['connect', undefined, undefined],
    ['nack', 'EDS', 'no such\u001b[2J weight'],
    ['ack', 'EDS', null],
    ['disconnect', undefined, 'the control plane ends'],
  ])
})

it('xds serves only the named services, reads a URI in its layout, and prints the size of its canary', async () => {
  await putAll(etcd, 'hello', [
    { addr: A, version: '1.0.0', weight: 1 },
    { addr: B, version: '2.0.0', weight: 1 },
  ])
  await putAll(etcd, 'carts', [{ addr: A }])
  const xds = disco.start('xds', 'etcd:///hello', '--canary', 'version=2.0.0', '--listen', ':0')
  await xds.printed('Ctrl-C')
  expect(xds.stderr).toContain('hello: 2 endpoints, 1 in the canary')
  expect(xds.stderr).not.toContain('carts')
  const [, listen = ''] = /xDS on (\S+):/.exec(xds.stderr) ?? []
  using client = new AdsClient(listen.replace(/:$/, ''))
  client.ask('EDS', 'hello', 'carts')
  await until(
    () => client.of('EDS').length > 0,
    () => 'the assignments',
  )
  expect(weightsIn(await client.response('EDS', 0))).toEqual({ hello: { [B]: 1, [A]: 1 }, carts: {} })
  expect(await xds.end('SIGINT')).toMatchObject({ code: 0 })
})

it('xds names an unknown service, and a canary that selects no endpoint, with the available values', async () => {
  await putAll(etcd, 'hello', [{ addr: A, version: '1.0.0' }])
  const args = ['xds', 'helo', 'hello', 'etcd:///carts', '--canary', 'version=3.0.0', '--listen', ':0']
  await etcd.ctl('put', '/microservices/carts/a', KRATOS)
  const xds = disco.start(...args, '--json')
  await xds.printed(/carts.*until it has an endpoint/)
  expect(JSON.parse(xds.stdout).services).toContainEqual({
    service: 'hello',
    endpoints: 1,
    omitted: 0,
    canary: 0,
  })
  expect(xds.stderr.split('\n')).toEqual([
    '! --canary version=3.0.0 selects no endpoint of hello; all endpoints get calls',
    expect.stringContaining('version: 1.0.0'),
    expect.stringMatching(
      /^! No service "helo" under \/ \(rev \d+\); calls to it fail with UNAVAILABLE until it has an endpoint$/,
    ),
    expect.stringMatching(/^ {2}Did you mean hello\? /),
    expect.stringMatching(
      /^! No endpoint of carts: layout seed, .* registered in layout kratos: add \?layout=kratos/,
    ),
    '',
  ])
})

it('xds prints a bootstrap file, with the name of the machine if it listens at all addresses', async () => {
  const { stdout } = await tool.run('xds', '--bootstrap')
  expect(JSON.parse(stdout)).toMatchObject({
    xds_servers: [
      {
        server_uri: '127.0.0.1:18000',
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    node: { id: expect.stringMatching(/./), locality: {} },
  })
  const other = await tool.run(
    'xds',
    '--bootstrap',
    '--listen',
    '0.0.0.0:9',
    '--listen-cert',
    'a',
    '--listen-key',
    'b',
  )
  const { xds_servers: servers, node } = JSON.parse(other.stdout)
  expect(servers[0]).toMatchObject({ server_uri: `${node.id}:9`, channel_creds: [{ type: 'tls' }] })
})

describe('a command on a terminal does not wait for standard input', () => {
  it('if a bootstrap file needs only the name of the certificate', async () => {
    const args = ['--listen-cert', '-', '--listen-key', 'b']
    const { code, stdout } = await disco.onTerminal(80, 24, 'xds', '--bootstrap', ...args).exited()
    expect([code, stdout]).toEqual([0, expect.stringContaining('"type": "tls"')])
  })

  it.each(['xds', 'proxy'])('if the flags lack the key of the certificate: %s', async (command) => {
    const ran = disco.onTerminal(80, 24, command, 'hello', '--listen', ':0', '--listen-cert', '-')
    const { code, stdout } = await ran.exited()
    expect([code, stdout]).toEqual([2, expect.stringContaining('needs both --listen-cert and --listen-key')])
  })
})

describe('xds refuses', () => {
  it.each([
    [
      'a target that selects',
      ['etcd:///hello?version=1.0.0'],
      'selects endpoints; whole services are served',
    ],
    ['a target of no registry', ['dns:///hello'], 'is a target without a registry'],
    ['an address', ['127.0.0.1:80'], 'is not the name of a service'],
    ['a selector without a URI', ['hello?version=1.0.0'], 'is not the name of a service'],
    ['a bootstrap file with a key alone', ['--bootstrap', '--listen-key', 'b'], 'needs both --listen-cert'],
    ['a bootstrap file with a CA alone', ['--bootstrap', '--listen-client-ca', 'c'], 'needs --listen-cert'],
    ['a service twice', ['hello', 'etcd:///hello'], 'The service "hello" is named twice'],
    ['a canary without a value', ['--canary', 'version='], 'a value is empty'],
    ['the cache for all services', ['--no-cache'], '--cache has no effect without a SERVICE'],
    ['a CA without a certificate', ['--listen-client-ca', '/ca'], '--listen-client-ca needs --listen-cert'],
    ['a bootstrap file of a service', ['--bootstrap', 'hello'], '--bootstrap takes no service'],
    ['a bootstrap file with a canary', ['--bootstrap', '--canary', 'a=b'], '--canary has no effect'],
    ['a bootstrap file without a port', ['--bootstrap', '--listen', ':0'], '--bootstrap needs the port'],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await tool.run('xds', ...args)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
  })

  it('a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    stops.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { code, stderr } = await disco.run('xds', '--listen', `:${port}`)
    expect(code).toBe(6)
    expect(stderr).toContain(`The xDS server cannot listen: port ${port} at 127.0.0.1 is taken`)
  })
})
