import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  experimental,
  Metadata,
} from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OLDEST_GRPC_JS, USED_OF_GRPC_JS } from '../../src/grpc/grpc-js.js'
import { AcceptedConnections } from '../support/accepted-connections.js'
import { Backend, ECHO } from '../support/backend.js'

/** The hint in every failure message of this file. */
const CHANGED =
  "grpc-js's experimental surface is not the one that src/grpc was written for. Read its release notes, adapt src/grpc, then this test and the peer dependency"

let backend: Backend

beforeAll(async () => {
  backend = await Backend.start()
})
afterAll(() => backend.stop())

test('the peer dependency starts at the oldest version in the code, and includes the version in use', () => {
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies: Record<string, string> }
  expect(own.peerDependencies['@grpc/grpc-js'], CHANGED).toBe(`~${OLDEST_GRPC_JS}`)
  const copies = Object.values(createRequire(import.meta.url).cache).filter(
    (module) => module?.exports.experimental === experimental,
  )
  expect(copies).toHaveLength(1)
  const { version } = createRequire(copies[0]?.filename ?? '')('../../package.json') as { version: string }
  expect(version, CHANGED).toBe(process.env.GRPC_JS_VERSION ?? version)
  const [major, minor] = version.split('.').map(Number)
  expect([major, minor], CHANGED).toEqual([1, 14])
})

describe('grpc-js exports what src/grpc uses:', () => {
  test.each(USED_OF_GRPC_JS)('%s', (name) => {
    expect(typeof experimental[name], CHANGED).toBe('function')
  })

  test('nothing else, except types', () => {
    const files = readdirSync('src/grpc', { recursive: true, encoding: 'utf8' })
    const sources = files
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(`src/grpc/${file}`, 'utf8'))
    const named = sources.flatMap((source) =>
      [...source.matchAll(/experimental\.(\w+)/g)].map(([, name]) => name),
    )
    const values = [...new Set(named)].filter((name) => name !== undefined && name in experimental)
    const known = [...USED_OF_GRPC_JS, 'PickResultType', 'SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX']
    expect(values.sort()).toEqual(known.sort())
  })

  test('the values of pick results, and the prefix of options that do not distinguish connections', () => {
    const { COMPLETE, QUEUE, TRANSIENT_FAILURE } = experimental.PickResultType
    expect([COMPLETE, QUEUE, TRANSIENT_FAILURE], CHANGED).toEqual([0, 1, 2])
    expect(experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX, CHANGED).toBe('grpc.internal.no_subchannel')
  })

  test('StatusOr values with ok, and value or error', () => {
    expect(experimental.statusOrFromValue([1]), CHANGED).toMatchObject({ ok: true, value: [1] })
    const error = { code: 14, details: 'd' }
    expect(experimental.statusOrFromError(error), CHANGED).toMatchObject({ ok: false, error })
  })
})

type List = Parameters<experimental.LoadBalancer['updateAddressList']>

/** A resolver and a policy that record how grpc-js calls them. */
class Probe {
  static count = 0
  readonly scheme = `probe${++Probe.count}`
  readonly constructions: unknown[][] = []
  readonly lists: List[] = []
  readonly picks: experimental.PickArgs[] = []
  readonly log: string[] = []
  readonly endpoint: experimental.Endpoint & { readonly mark: object }
  leafResult: experimental.PickResult | null = null
  helper: experimental.ChannelControlHelper | null = null

  constructor({ addr }: Backend) {
    const [host = '', port = ''] = addr.split(':')
    this.endpoint = { addresses: [{ host, port: Number(port) }], mark: {} }
    this.registerResolver()
    this.registerPolicy()
  }

  client(options: ChannelOptions = {}, path = '/service?zone=b'): Client {
    const config = { loadBalancingConfig: [{ [this.scheme]: { parameter: 7 } }] }
    return new Client(`${this.scheme}://authority${path}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify(config),
      'grpc.enable_http_proxy': 0,
      ...options,
    })
  }

  private registerResolver(): void {
    const probe = this
    experimental.registerResolver(
      this.scheme,
      class implements experimental.Resolver {
        constructor(...args: [experimental.GrpcUri, experimental.ResolverListener, ChannelOptions]) {
          probe.constructions.push(args)
          this.listener = args[1]
        }
        private readonly listener: experimental.ResolverListener
        updateResolution(): void {
          process.nextTick(() =>
            this.listener(experimental.statusOrFromValue([probe.endpoint]), {}, null, 'a note'),
          )
        }
        destroy(): void {}
        static getDefaultAuthority = () => 'default.authority'
      },
    )
  }

  private registerPolicy(): void {
    const probe = this
    class Config implements experimental.TypedLoadBalancingConfig {
      constructor(readonly json: unknown) {}
      getLoadBalancerName = () => probe.scheme
      toJsonObject = () => ({})
      static createFromJson = (json: unknown) => new Config(json)
    }
    class Balancer implements experimental.LoadBalancer {
      constructor(private readonly helper: experimental.ChannelControlHelper) {}
      updateAddressList(...args: List): boolean {
        probe.lists.push(args)
        probe.helper = this.helper
        const [, , options, note] = args
        const own = experimental.createChildChannelControlHelper(this.helper, {
          updateState: (state, picker, problem) => {
            if (state !== connectivityState.READY) return
            probe.leafResult = picker.pick({ metadata: new Metadata(), extraPickInfo: {} })
            this.helper.updateState(state, { pick: (call) => probe.pick(call) }, problem)
          },
        })
        new experimental.LeafLoadBalancer(probe.endpoint, own, options, note).startConnecting()
        return true
      }
      exitIdle(): void {}
      resetBackoff(): void {}
      destroy(): void {}
      getTypeName = () => probe.scheme
    }
    experimental.registerLoadBalancerType(this.scheme, Balancer, Config)
  }

  private pick(call: experimental.PickArgs): experimental.PickResult {
    this.picks.push(call)
    call.metadata.remove('x-taken-off')
    this.log.push('picked')
    queueMicrotask(() => queueMicrotask(() => this.log.push('microtasks later')))
    setImmediate(() => this.log.push('a turn later'))
    if (!this.leafResult) throw new Error('there is no picker before a connection')
    return {
      ...this.leafResult,
      onCallStarted: () => this.log.push('started'),
      onCallEnded: (code, details, metadata) =>
        this.log.push(`ended ${code} "${details}" ${metadata.constructor.name}`),
    }
  }
}

function call(client: Client, metadata = new Metadata()): Promise<string> {
  const bytes = (value: Buffer) => value
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000
    client.makeUnaryRequest(ECHO, bytes, bytes, Buffer.alloc(1), metadata, { deadline }, (error, reply) =>
      error || !reply ? reject(error) : resolve(String(reply)),
    )
  })
}

test('grpc-js creates a resolver with target, listener and options, and keeps the query in the path of the target', async () => {
  const probe = new Probe(backend)
  const client = probe.client({ 'grpc.primary_user_agent': 'me' })
  await call(client)
  client.close()
  const [[target, listener, options] = []] = probe.constructions
  expect(target, CHANGED).toMatchObject({
    scheme: probe.scheme,
    authority: 'authority',
    path: 'service?zone=b',
  })
  expect(typeof listener, CHANGED).toBe('function')
  expect(options, CHANGED).toMatchObject({ 'grpc.primary_user_agent': 'me' })
  expect(probe.constructions, CHANGED).toHaveLength(1)
})

test('grpc-js passes the endpoint objects of the resolver, the config, the options and the note to a policy', async () => {
  const probe = new Probe(backend)
  const client = probe.client()
  await call(client)
  client.close()
  const [[list, config, options, note] = []] = probe.lists
  expect(list?.ok && list.value[0], CHANGED).toBe(probe.endpoint)
  expect(config, CHANGED).toMatchObject({ json: { parameter: 7 } })
  expect(typeof options?.['grpc.service_config'], CHANGED).toBe('string')
  expect(note, CHANGED).toBe('a note')
})

test('the picker of a single connection ignores call arguments, and its subchannel has a channel', async () => {
  const probe = new Probe(backend)
  const client = probe.client()
  await call(client)
  expect(probe.leafResult?.pickResultType, CHANGED).toBe(experimental.PickResultType.COMPLETE)
  expect(probe.leafResult, CHANGED).toMatchObject({ status: null, onCallStarted: null, onCallEnded: null })
  expect(typeof probe.leafResult?.subchannel?.getChannel().createCall, CHANGED).toBe('function')
  client.close()
})

describe('a subchannel', () => {
  const changes = async (port: number, end: connectivityState) => {
    const probe = new Probe(backend)
    const client = probe.client()
    await call(client)
    // Arguments that differ from those of the channel’s connection, so that a second connection is created.
    const subchannel = probe.helper?.createSubchannel({ host: '127.0.0.1', port }, { own: 1 })
    const seen: unknown[][] = [[subchannel?.getConnectivityState(), subchannel?.isHealthy()]]
    subchannel?.ref()
    await new Promise<void>((resolve) => {
      subchannel?.addConnectivityStateListener((_, before, state, keepaliveMs, error) => {
        seen.push([before, state, typeof keepaliveMs, error])
        if (state === end) resolve()
      })
      subchannel?.startConnecting()
    })
    subchannel?.unref()
    client.close()
    return seen
  }
  const { IDLE, CONNECTING, READY, TRANSIENT_FAILURE } = connectivityState

  test('connects only on request, and reports each state with the previous one', async () => {
    const port = Number(backend.addr.split(':')[1])
    expect(await changes(port, READY), CHANGED).toEqual([
      [IDLE, true],
      [IDLE, CONNECTING, 'number', undefined],
      [CONNECTING, READY, 'number', undefined],
    ])
  })

  test('reports why it failed', async () => {
    expect(await changes(1, TRANSIENT_FAILURE), CHANGED).toEqual([
      [IDLE, true],
      [IDLE, CONNECTING, 'number', undefined],
      [CONNECTING, TRANSIENT_FAILURE, 'number', expect.stringContaining('ECONNREFUSED')],
    ])
  })
})

test('a pick receives a copy of the call’s headers: headers that it removes are not sent, and the caller’s metadata is unchanged', async () => {
  const probe = new Probe(backend)
  const client = probe.client()
  const metadata = new Metadata()
  metadata.set('x-taken-off', '1')
  metadata.set('x-kept', '2')
  await call(client, metadata)
  client.close()
  expect(backend.lastHeaders?.get('x-taken-off'), CHANGED).toEqual([])
  expect(backend.lastHeaders?.get('x-kept'), CHANGED).toEqual(['2'])
  expect(metadata.get('x-taken-off'), CHANGED).toEqual(['1'])
})

test('a picked call starts after the pick and in the same event loop turn, and its end reports the status', async () => {
  const probe = new Probe(backend)
  const client = probe.client()
  await call(client)
  probe.log.length = 0
  await call(client)
  client.close()
  expect(probe.log[0], CHANGED).toBe('picked')
  expect(probe.log.indexOf('started'), CHANGED).toBeGreaterThan(0)
  expect(probe.log.indexOf('started'), CHANGED).toBeLessThan(probe.log.indexOf('a turn later'))
  expect(probe.log.at(-1), CHANGED).toBe('ended 0 "OK" Metadata')
})

test('options with the excluded prefix reach the policy, and do not separate connections', async () => {
  const probe = new Probe(backend)
  using connections = new AcceptedConnections()
  const option = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.own`
  const clients = [1, 2].map((value) => probe.client({ [option]: value }))
  for (const client of clients) await call(client)
  expect(
    probe.lists.map(([, , options]) => options[option]),
    CHANGED,
  ).toEqual([1, 2])
  expect(connections.at(backend), CHANGED).toBe(1)
  for (const client of clients) client.close()
})

test('the authority of a call is the default of the resolver, which TLS verifies', async () => {
  const probe = new Probe(backend)
  const client = probe.client()
  await call(client)
  client.close()
  expect(backend.lastHost, CHANGED).toBe('default.authority')
})

/** If grpc-js fixes this, `createFromJson` may throw, and `checkPolicies` is no longer needed. */
test('a config that throws, or an unknown policy, still silently becomes pick_first', async () => {
  const name = 'probe_that_throws'
  class Throwing {
    getLoadBalancerName = () => name
    toJsonObject = () => ({})
    static createFromJson(): Throwing {
      throw new Error('unreadable')
    }
  }
  const unused = class {} as unknown as Parameters<typeof experimental.registerLoadBalancerType>[1]
  experimental.registerLoadBalancerType(name, unused, Throwing)
  for (const policy of [name, 'no_such_policy']) {
    const client = new Client(backend.addr, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [policy]: {} }] }),
    })
    expect(await call(client), CHANGED).toBe(backend.addr)
    client.close()
  }
})
