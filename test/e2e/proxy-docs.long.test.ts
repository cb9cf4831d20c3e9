import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { planRoutes, proxyFlags } from '../../src/cli/flags/proxy.js'
import { startGreeter } from '../../src/dev/greeter.js'
import { putAll } from '../support/etcd-state.js'
import { flagValues } from '../support/flags.js'
import { freePorts } from '../support/ports.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco } = await toolOnEtcd()

const text = readFileSync(new URL('../../docs/proxy.md', import.meta.url), 'utf8')

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** The code blocks of the page in a language. */
function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  )
}

interface Container {
  readonly command: string[]
  readonly args: string[]
  readonly readinessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly livenessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } }
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } }
  readonly ports?: { readonly name: string; readonly containerPort: number }[]
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly containers: Container[]
  readonly initContainers?: Container[]
}

const documents = blocks('yaml').flatMap((block) =>
  parseAllDocuments(block).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as { kind: string; spec: PodSpec & { template?: { spec: PodSpec } } }
  }),
)

/** The flags of a command line, as `disco proxy` parses them. */
async function parsed([tool, command, ...words]: readonly string[]) {
  expect([tool, command]).toEqual(['disco', 'proxy'])
  const at = words.findIndex((word) => word.startsWith('--'))
  const flags = await flagValues(proxyFlags, ...words.slice(at))
  planRoutes(words.slice(0, at), flags, () => ({ layout: 'seed', root: '' }))
  return flags
}

describe('docs/proxy.md', () => {
  it.each(['Deployment', 'Pod'])(
    'has a %s whose grace period exceeds the drain, with probes that the proxy answers',
    async (kind) => {
      const document = documents.find((one) => one.kind === kind)
      const spec = document?.spec.template?.spec ?? document?.spec
      const container = spec?.initContainers?.[0] ?? spec?.containers[0]
      if (!spec || !container) throw new Error('no container')
      const { command, args, lifecycle } = container
      if (kind === 'Deployment') expect(lifecycle).toBeDefined()
      const flags = await parsed([...command, ...args])
      const preStopMs = Number(lifecycle?.preStop.exec.command[1] ?? 0) * 1_000
      expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(preStopMs + flags.drain)
      const ports = new Map(container.ports?.map(({ name, containerPort }) => [name, containerPort]))
      for (const probe of [container.readinessProbe, container.livenessProbe]) {
        if (!probe) continue
        expect(ports.get(probe.httpGet.port)).toBe(flags.admin?.port)
        expect(['/healthz', '/livez']).toContain(probe.httpGet.path)
      }
      if (flags.admin?.host !== '127.0.0.1') expect(flags['admin-token-file']).toBeDefined()
    },
  )

  it('has a systemd unit that starts a proxy, and whose stop timeout exceeds the drain', async () => {
    const [unit = ''] = blocks('ini')
    const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
    const flags = await parsed(setting('ExecStart').replace('/usr/local/bin/', '').split(' '))
    expect(Number(setting('TimeoutStopSec')) * 1_000).toBeGreaterThan(flags.drain)
    expect(setting('ExecReload')).toContain('-HUP')
  })

  it('has commands that run and serve calls', async () => {
    const greeter = await startGreeter({ port: 0 })
    stops.push(() => greeter.stop())
    for (const service of ['hello', 'users', 'carts']) await putAll(etcd, service, [{ addr: greeter.addr }])
    const lines = blocks('').flatMap((block) => block.split('\n'))
    const proxies = lines.filter((line) => line.startsWith('disco proxy '))
    expect(proxies.length).toBeGreaterThanOrEqual(3)
    for (const line of proxies) {
      const [port = 0] = await freePorts(1)
      const address = `127.0.0.1:${port}`
      const command = line.includes('--listen')
        ? line.replace('127.0.0.1:9000', address)
        : `${line} --listen ${address}`
      const proxy = disco.shell(`${command} & trap 'kill $!; wait $!' TERM; wait $!`)
      await proxy.printed('Ctrl-C: finish the calls')
      for (const call of lines.filter((one) => one.startsWith('disco call ') && !line.includes('--route'))) {
        const authority = line.includes('carts') ? ' --authority carts' : ''
        const { code, stdout } = await disco
          .shell(`${call.replace('127.0.0.1:9000', address)}${authority}`)
          .exited()
        expect(stdout).toContain('Hello abc')
        expect(code).toBe(0)
      }
      await proxy.end('SIGTERM')
    }
  })
})
