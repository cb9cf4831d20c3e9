import { Client, type ClientDuplexStream, credentials, status } from '@grpc/grpc-js'
import { afterEach, expect, it } from 'vitest'
import type { ProxyDoc } from '../../src/cli/proxy/document.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { until } from '../support/disco.js'
import { EtcdApi } from '../support/etcd-api.js'
import { putAll } from '../support/etcd-state.js'
import { chat, ended, unary } from '../support/four-kinds.js'
import { InFlight } from '../support/in-flight.js'
import { freePorts } from '../support/ports.js'
import { killSupervised } from '../support/supervised.js'
import { SupervisedKinds } from '../support/supervised-kinds.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  killSupervised()
})

it('a killed server fails only its own calls, with UNAVAILABLE and its address', async () => {
  const [dying, serving] = await servers(2)
  if (!dying || !serving) throw new Error('no servers')
  const { client, metric } = await proxied('--admin', ':0')
  const talks = Array.from({ length: 20 }, () => chat(client))
  for (const talk of talks) talk.on('error', () => undefined)
  await Promise.all(talks.map((talk) => echoOf(talk, 'before')))
  const ends = talks.map(ended)
  await dying.kill()
  await until(
    async () =>
      (await metric(`disco_proxy_calls_total{service="hello",endpoint="${dying.addr}",code="UNAVAILABLE"}`)) >
      0,
    () => 'the failed calls',
  )
  const living: ClientDuplexStream<Buffer, Buffer>[] = []
  const failures: { code: status; details: string }[] = []
  for (const [at, talk] of talks.entries()) {
    const end = await Promise.race([ends[at], echoOf(talk, 'after').then(() => null)])
    if (end) failures.push(end)
    else living.push(talk)
  }
  expect(failures).toHaveLength(10)
  for (const { code, details } of failures) {
    expect(code).toBe(status.UNAVAILABLE)
    expect(details).toContain(`${dying.addr}: `)
  }
  for (let call = 0; call < 100; call++) expect(await unary(client)).toMatchObject({ addr: serving.addr })
  for (const talk of living) talk.end()
  for (const end of await Promise.all(ends)) {
    if (!failures.includes(end)) expect(end.code).toBe(status.OK)
  }
  const lost = `disco_proxy_calls_total{service="hello",endpoint="${dying.addr}",code="UNAVAILABLE"}`
  expect(await metric(lost)).toBe(10)
  await serving.stop()
}, 120_000)

it('a proxy loses none of 30,000 calls during 400 weight changes and a rolling restart of five supervised servers', async () => {
  const five = await servers(5)
  const { client } = await proxied()
  const api = new EtcdApi(etcd.endpoint)
  stops.push(() => api.close())
  const traffic = new InFlight(client, 64)
  let changes = 0
  const change = async (times: number) => {
    for (let one = 0; one < times; one++, changes++) {
      await five[changes % five.length]?.setWeight(api, changes % 4)
      await traffic.more(30)
    }
  }
  for (const server of five) {
    await change(40)
    const restarted = server.restart()
    await change(40)
    await restarted
  }
  expect(changes).toBe(400)
  while (traffic.answered + traffic.failures.length < 30_000) await traffic.more(500)
  await traffic.end()
  expect(traffic.failures).toEqual([])
  await Promise.all(five.map((server) => server.stop()))
}, 600_000)

it('a proxy forwards reflection and health checks to the backends', async () => {
  const greeters = await Promise.all([startGreeter({ port: 0 }), startGreeter({ port: 0 })])
  stops.push(...greeters.map((greeter) => () => greeter.stop()))
  await putAll(
    etcd,
    'hello',
    greeters.map(({ addr }) => ({ addr })),
  )
  const { listen } = await proxied()
  const described = await tool.run('call', listen, '--describe', 'helloworld.HelloRequest')
  expect(described.stdout).toContain('string name = 1')
  const called = await tool.run('call', listen, 'SayHello', '-d', '{"name":"abc"}')
  expect(JSON.parse(called.stdout)).toMatchObject({ message: 'Hello abc' })
  const healthy = await tool.run('health', listen, '--json')
  expect(healthy.stdout).toContain('SERVING')
  for (const greeter of greeters) greeter.setHealth('NOT_SERVING')
  const ill = await tool.run('health', listen, '--json')
  expect(ill.stdout).toContain('NOT_SERVING')
}, 60_000)

async function servers(count: number): Promise<SupervisedKinds[]> {
  const ports = await freePorts(count)
  return await Promise.all(ports.map((port) => SupervisedKinds.start(disco, 'hello', port)))
}

async function proxied(...args: string[]) {
  const proxy = disco.start('proxy', 'hello', '--listen', ':0', '--json', ...args)
  await proxy.printed('disco.proxy/v1')
  const { listen } = JSON.parse(proxy.stdout) as ProxyDoc
  const client = new Client(listen, credentials.createInsecure())
  stops.push(() => client.close())
  const [, admin = ''] = /admin handler on (\S+)/.exec(proxy.stderr) ?? []
  /** The value of one metric series. */
  const metric = async (series: string): Promise<number> => {
    const lines = (await (await fetch(`${admin}/metrics`)).text()).split('\n')
    return Number(
      lines
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1) ?? 0,
    )
  }
  return { listen, client, metric }
}

/** Sends a message and waits for the reply. Never resolves if the call fails. */
function echoOf(talk: ClientDuplexStream<Buffer, Buffer>, word: string): Promise<void> {
  talk.write(Buffer.from(word))
  return new Promise((resolve) => talk.once('data', () => resolve()))
}
