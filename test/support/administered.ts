import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'
import { type AdminOptions, adminHandler } from '../../src/agent/admin/handler.js'
import { Registrar } from '../../src/agent/registrar/registrar.js'
import { startAdmin } from '../../src/net/admin/server.js'
import { RealEtcd } from './etcd.js'
import { registration, revision, wipe } from './etcd-state.js'
import { openRegistry } from './registry.js'

const VERSION = '1.0.0'
const OTHER_ADDR = '127.0.0.1:1002'

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A registrar with its HTTP handler, running in the process of the test. */
interface Begun {
  /** `host:port` of the handler. */
  readonly address: string
  /** The exit code of the registrar. */
  readonly code: Promise<number>
  readonly end: () => Promise<void>
}

/** Before each test of a file, starts a registration beside another endpoint in a real etcd, with its HTTP handler. */
export async function administered(): Promise<Administered> {
  const etcd = await RealEtcd.start()
  const admin = new Administered(etcd)
  beforeEach(async () => {
    await admin.putOther(1)
    await admin.begin()
  })
  afterEach(async () => {
    await admin.begun.end()
    await wipe(etcd)
  })
  afterAll(() => etcd.stop())
  return admin
}

class Administered {
  readonly addr = '127.0.0.1:1001'
  readonly key = `/hello/${VERSION}/${this.addr}`
  private current: Begun | null = null

  constructor(readonly etcd: RealEtcd) {}

  get begun(): Begun {
    if (!this.current) throw new Error('nothing has begun')
    return this.current
  }

  /** Registers the endpoint again, with a handler with these options. */
  async begin(options: Partial<AdminOptions> = {}): Promise<void> {
    const registry = await openRegistry([this.etcd.endpoint], { commandTimeoutMs: 5_000 })
    const endpoint = {
      service: 'hello',
      version: VERSION,
      addr: this.addr,
      weight: 1,
      metadata: { zone: 'a' },
    }
    const asked = { registered: endpoint, ttlSeconds: 60 }
    const registrar = new Registrar({ registry, request: asked, drainMs: 0, killAfterMs: 0 })
    const held = once(registrar, 'registered')
    const handler = adminHandler({ registry, registrar, token: null, drainMs: 200, ...options })
    const server = await startAdmin({ host: '127.0.0.1', port: 0 }, handler)
    const code = registrar.run()
    this.current = {
      address: server.address,
      code,
      end: async () => {
        registrar.stop()
        await code.catch(() => undefined)
        await server[Symbol.asyncDispose]()
        registry.close()
      },
    }
    await held
  }

  /** Writes the other endpoint of the service. */
  async putOther(weight: number): Promise<void> {
    await this.etcd.ctl('put', ...registration('hello', OTHER_ADDR, { version: VERSION, weight }))
  }

  /** Sends a request with an unchanged path, which an HTTP client library might normalize. */
  ask(
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const [host, port] = this.begun.address.split(':')
    return new Promise((resolve, reject) => {
      const sent = request({ host, port, method, path, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }),
        )
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Fails if the attempt changes etcd, or if the handler does not answer afterwards. */
  async untouched(attempt: () => Promise<unknown>): Promise<void> {
    const before = await revision(this.etcd)
    await attempt()
    expect(await revision(this.etcd)).toBe(before)
    expect((await this.ask('GET', '/')).status).toBe(200)
  }
}
