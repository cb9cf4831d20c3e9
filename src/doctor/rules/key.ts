import { readAddress } from '../../domain/address.js'
import { addressHints } from '../../domain/address-hints.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { byKey, type ServiceFacts } from '../facts.js'
import { counted, listed, percent, type Rule, type RuleFinding } from '../finding.js'
import { commandOn, lacksLease, remedyBy, remedyOf } from '../remedy.js'

export const undialable: Rule<ServiceFacts> = {
  code: 'D005',
  title: 'undialable',
  severity: 'error',
  page: `Clients cannot dial the address: it has no host or no port, or its host means "all interfaces" (0.0.0.0, [::]), so that a
client would dial its own machine. A loopback address in a registry that other machines use is a warning: it works only
for clients on the machine of the server, and cannot be checked from here.

Register the address that clients dial: disco register SERVICE :1001 --advertise 10.0.0.5.`,
  find(facts) {
    const { endpoints, isShared, shareOf } = facts
    const hints = addressHints(endpoints, isShared)
    const remedy = 'register the address that clients dial: --advertise HOST'
    return endpoints.flatMap((endpoint): RuleFinding[] => {
      const hint = hints.get(endpoint)?.find(({ code }) => code !== 'shared-address')
      const problem = hasNoAddress(endpoint) ? endpoint.problem?.text : undefined
      const text = problem ?? hint?.text
      if (text === undefined) return []
      const share = shareOf(endpoint)
      const isLoopback = hint?.code === 'loopback-address'
      return [
        {
          severity: isLoopback ? 'warning' : 'error',
          endpoint,
          since: endpoint.modRevision,
          text,
          cost: problem === undefined ? `${percent(share)} of the traffic` : 'clients skip it',
          share,
          remedy: isLoopback
            ? remedyOf(null, remedy)
            : remedyBy(commandOn(['unregister'], endpoint, endpoints), `then ${remedy}`),
        },
      ]
    })
  },
}

export const sharedAddress: Rule<ServiceFacts> = {
  code: 'D006',
  title: 'address twice',
  severity: 'warning',
  page: `Several keys of the service have the same address. Each key counts, so the server gets the sum of their weights. Usually
one of them is a leftover of an older version or another layout.

Remove the leftover by its key. If two keys have the same version and layout, and only one has a lease, the key without a
lease is the leftover: disco doctor --fix removes it. Keys of two layouts or versions may both be wanted: their clients
differ.`,
  find({ endpoints, shareOf }) {
    const usable = endpoints.filter(({ problem }) => problem === null)
    return [...byAddress(usable).values()].flatMap((same): RuleFinding[] => {
      const keys = byKey(same)
      if (keys.length < 2) return []
      const leaseless = keys.filter(lacksLease)
      const isClear = leaseless.length === 1 && keys.some(({ lease }) => lease !== null)
      const [oldest] = keys.toSorted((a, b) => a.modRevision - b.modRevision)
      const surplus = (isClear ? leaseless[0] : oldest) ?? oldest
      if (!surplus) return []
      const others = keys.filter(({ key }) => key !== surplus.key)
      const share = keys.reduce((sum, endpoint) => sum + shareOf(endpoint), 0)
      // Clients of another layout or version would lose the server.
      const alike = others.filter(
        ({ lease, layout, version }) =>
          lease !== null && layout === surplus.layout && version === surplus.version,
      )
      const twin = alike.find(({ weight }) => weight > 0 || surplus.weight === 0)
      const isSafe = isClear && twin !== undefined
      return [
        {
          endpoint: surplus,
          since: Math.max(...keys.map(({ createRevision }) => createRevision)),
          text: `${surplus.addr} is also registered under ${others.length === 1 ? others[0]?.key : `${counted(others.length, 'other key')} (${listed(others.map(({ key }) => key))})`}`,
          cost: `it gets ${percent(share)} of the traffic, the sum of its keys`,
          share,
          remedy: remedyBy(
            commandOn(['unregister'], surplus, endpoints),
            !isClear
              ? 'or the other key, if that is the leftover'
              : alike.length > 0
                ? 'it has no lease, and the other key has one'
                : 'if it is a leftover: it has no lease, and the other key has one',
            isSafe ? surplus : null,
            isSafe ? twin : null,
          ),
        },
      ]
    })
  },
}

export const badValue: Rule<ServiceFacts> = {
  code: 'D007',
  title: 'bad value',
  severity: 'warning',
  page: `The value of the key cannot be read. Clients skip it, so its server gets no traffic.

Correct the writer of the value. If only its weight cannot be read, disco weight SERVICE KEY N fixes it.
Otherwise remove the key: disco unregister SERVICE KEY.`,
  find: ({ endpoints }) =>
    endpoints.flatMap((endpoint): RuleFinding[] =>
      endpoint.problem?.kind === 'unreadable'
        ? [
            {
              endpoint,
              since: endpoint.modRevision,
              text: endpoint.problem.text,
              cost: 'clients skip it',
              share: 0,
              remedy: remedyBy(
                commandOn(['unregister'], endpoint, endpoints),
                'or correct the writer of the value',
              ),
            },
          ]
        : [],
    ),
}

export const misplaced: Rule<ServiceFacts> = {
  code: 'D008',
  title: 'wrong key',
  severity: 'warning',
  page: `The value has another service, version or address than its key. It may have been copied by hand, or all keys may have a
prefix that disco does not know. Clients do not trust the value and skip it.

If the finding suggests a root, the keys have a prefix: give it with --root. Otherwise register the endpoint again, and
remove this key: disco unregister SERVICE KEY.`,
  find: ({ endpoints }) =>
    endpoints.flatMap((endpoint): RuleFinding[] => {
      const { problem } = endpoint
      if (problem?.kind !== 'misplaced') return []
      const { rootHint } = problem
      return [
        {
          endpoint,
          since: endpoint.modRevision,
          text: problem.text,
          cost: 'clients skip it',
          share: 0,
          remedy:
            rootHint === null
              ? remedyBy(commandOn(['unregister'], endpoint, endpoints), 'or register it under its own key')
              : remedyOf(['disco', 'doctor', '--root', rootHint]),
        },
      ]
    }),
}

export const severalLayouts: Rule<ServiceFacts> = {
  code: 'D014',
  title: 'several layouts',
  severity: 'warning',
  page: `Endpoints of the service are registered in several layouts. A program reads one layout, so it sees only some of them.

Let all servers register in one layout, or name it in the target of the clients: etcd:///SERVICE?layout=kratos.`,
  find({ service, endpoints, shareOf }) {
    const usable = endpoints.filter(({ problem }) => problem === null)
    const layouts = [...new Set(usable.map(({ layout }) => layout))]
    if (layouts.length < 2) return []
    const shares = layouts.map((name) => {
      const share = usable.reduce((sum, one) => sum + (one.layout === name ? shareOf(one) : 0), 0)
      return `${name} ${percent(share)}`
    })
    return [
      {
        text: `endpoints in ${layouts.length} layouts: ${shares.join(', ')} of the weight`,
        cost: 'a program sees only the endpoints of one layout',
        remedy: remedyOf(
          null,
          `give the layout in the target: ${layouts.map((name) => `etcd:///${service}?layout=${name}`).join(' or ')}`,
        ),
      },
    ]
  },
}

export const notForGrpc: Rule<ServiceFacts> = {
  code: 'D015',
  title: 'not for gRPC',
  severity: 'info',
  page: `The registration is valid, but gRPC clients do not dial it: it is for another protocol, or its writer has disabled it.
This needs no change, unless clients should dial it.`,
  find: ({ endpoints }) =>
    endpoints.flatMap((endpoint): RuleFinding[] =>
      endpoint.problem?.kind === 'not-dialled' && !hasNoAddress(endpoint)
        ? [
            {
              endpoint,
              since: endpoint.modRevision,
              text: endpoint.problem.text,
              share: 0,
              remedy: remedyOf(null),
            },
          ]
        : [],
    ),
}

/** Whether clients skip the endpoint because of its address. */
function hasNoAddress({ addr, problem }: Endpoint): boolean {
  if (problem?.kind !== 'not-dialled') return false
  const address = readAddress(addr)
  return 'problem' in address || (address.kind === 'tcp' && address.host === '')
}

function byAddress(endpoints: readonly Endpoint[]): Map<string, Endpoint[]> {
  const groups = new Map<string, Endpoint[]>()
  for (const endpoint of endpoints) {
    const same = groups.get(endpoint.addr)
    if (same) same.push(endpoint)
    else groups.set(endpoint.addr, [endpoint])
  }
  return groups
}
