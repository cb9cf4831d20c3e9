import { readAddress } from '../address.js'
import { notDialled } from '../endpoint.js'
import { textOf } from '../key-text.js'
import { baseBefore, defineLayout, endsInAddress } from './define.js'
import { Problem } from './layout.js'
import { readUrl } from './url.js'

/** go-kit, sd/etcdv3: any key, by convention `/services/{name}/{addr}`; the value is an address, or a URL. */
export const goKit = defineLayout({
  name: 'go-kit',
  base: '/services',
  keys: '{prefix, /services}/{name}/{addr}',
  defaultTtlSeconds: 10,
  weightless: 'its value is only an address',
  claimedBy: 'text',
  claims: ({ text }, key) => {
    const { addr } = readUrl(text)
    return key.endsWith(`/${addr}`) && !('problem' in readAddress(addr))
  },
  baseOf: (key) => (key.startsWith('/') ? baseBefore(key, 2) : null),
  isLikely: (key) => key.startsWith('/') && endsInAddress(key),
  read(value, rest) {
    const instance = textOf(value)
    const { scheme, addr } = readUrl(instance)
    const address = readAddress(addr)
    if ('problem' in address) throw new Problem(`value ${address.problem}`)
    const [service = ''] = rest.split('/')
    return [
      {
        service,
        version: '',
        addr,
        weight: 0,
        metadata: {},
        problem: scheme === null || scheme === 'grpc' ? null : notDialled(`speaks ${scheme}, not gRPC`),
        ...(instance === addr ? {} : { extra: { instance } }),
      },
    ]
  },
  key: ([{ service, addr }], base) => `${base === '/' ? '' : base}/${service}/${addr}`,
  write: ([{ addr, extra }]) => String(extra?.instance ?? addr),
})
