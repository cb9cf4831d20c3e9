import { type EndpointProblem, notDialled } from '../endpoint.js'
import { textOf } from '../key-text.js'
import { baseBefore, defineLayout } from './define.js'
import { notAnEndpoint, Problem } from './layout.js'
import { weightOf, withWeightOf } from './metadata-weight.js'
import { queryWithWeight, readQuery, writeQuery } from './url.js'

/** The default of rpcx for an endpoint without a weight. */
const RULE = { missing: 1 }

/**
 * rpcx, rpcx-etcd: key `{base path}/{service}/{network}@{addr}`; the value is a query string. The base path and
 * `{base path}/{service}` are keys too, which represent directories.
 */
export const rpcx = defineLayout({
  name: 'rpcx',
  base: '/rpcx_test',
  keys: '{base path}/{service}/{network}@{addr}',
  defaultTtlSeconds: 30,
  claimedBy: 'rest',
  ownsBase: true,
  claims: ({ text }, key) =>
    SERVER.test(key) || text === DIRECTORY || (/^\/[^/]+\/[^/]+$/.test(key) && isDirectory(key, text)),
  isLikely: (key) => SERVER.test(key),
  baseOf: (key) => (SERVER.test(key) ? baseBefore(key, 2) : null),
  read(value, rest) {
    const text = textOf(value)
    const [service = '', server = '', ...more] = rest.split('/')
    const at = server.indexOf('@')
    if (at < 0 && (text === DIRECTORY || isDirectory(rest, text))) return notAnEndpoint('a directory')
    if (at < 1 || more.length > 0) throw new Problem('key does not end in {network}@{addr}')
    const metadata = readQuery(text)
    const network = server.slice(0, at)
    return [
      {
        service,
        version: '',
        addr: server.slice(at + 1),
        weight: weightOf(metadata, RULE),
        metadata,
        problem: problemOf(metadata.state, network),
        ...(network === 'tcp' ? {} : { extra: { network } }),
      },
    ]
  },
  key: ([{ service, addr, extra }], base) => `${base}/${service}/${extra?.network ?? 'tcp'}@${addr}`,
  write([{ weight, metadata }]) {
    return writeQuery(withWeightOf(metadata, weight, RULE))
  },
  withWeight: queryWithWeight,
})

const SERVER = /.\/[a-z][a-z0-9]*@[^/]+$/s

function problemOf(state: string | undefined, network: string): EndpointProblem | null {
  if (state === 'inactive') return notDialled('is inactive')
  return /^tcp[46]?$/.test(network) ? null : notDialled(`network is ${network}`)
}

/** The value of the base path itself. */
const DIRECTORY = 'rpcx_path'

/** The value of a service's directory is the service's name. */
function isDirectory(key: string, text: string): boolean {
  return text !== '' && `/${key}`.endsWith(`/${text}`)
}
