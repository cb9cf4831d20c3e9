import { RULES } from '../../doctor/rules/index.js'
import { DEFAULT_LAYOUT, LAYOUTS } from '../../domain/layouts/index.js'
import { POLICIES } from '../../policies/index.js'
import { VARIABLES } from './environment.js'
import { EXITS } from './exit-codes.js'
import type { TopicName } from './topic-names.js'

/** The text of each topic of `disco help`. */
export const TOPICS: Readonly<Record<TopicName, () => string>> = {
  'exit-codes': () => `Exit codes

${pairs(EXITS)}

Where several apply, the first of 130, 3, 4, 7 and 8 counts. With --assert 'errors<…', failed calls do not lead to 7. \
With -- CMD, register and dev end with the exit code of CMD where CMD ends by itself.
Under --json an error is a document on standard output: {"error":{"code","message","hint","exit"}}.`,
  environment: () => `Environment

${pairs(VARIABLES)}

A flag (-C among them) wins over DISCO_*, DISCO_* wins over ETCDCTL_*, then come the project file .disco.yaml, the context in use \
(disco context) and the default. Credentials of a context or project file go to its own endpoints only; those of ETCDCTL_* count \
unless DISCO_ENDPOINTS names another cluster than ETCDCTL_ENDPOINTS. An empty DISCO_* or ETCDCTL_* variable counts as unset. A password comes from --password-file, from a variable or from standard input (--password-file -), never from \
an argument.`,
  targets: () => `Targets

  SERVICE                    a service of the registry, in the layout of --layout (every layout without it)
  etcd:///SERVICE            the same service
  etcd://VERSION/SERVICE     its endpoints of one version
  etcd:///SERVICE?zone=b     its endpoints that match: disco help selectors
  HOST:PORT, dns:///HOST:PORT, ipv4:ADDR:PORT, ipv6:[ADDR]:PORT, unix:PATH
                             endpoints without a registry, of equal weight

Commands take a target of the registry wherever they take a SERVICE. Targets without a registry are for disco call, health, pick and resolve.

Parameters of an etcd target:
  layout=NAME                the layout to read: disco help layouts
  root=PREFIX                prefix of all keys
  spill-over                 use all endpoints of the service if none of the selected is registered, or all are drained
Any other parameter selects endpoints. Names and values are percent-encoded; a plus sign is written %2B.

A program reads the layout ${DEFAULT_LAYOUT.name} where neither its target nor its Registry names another one; the tool reads every layout.`,
  policies: () => `LB policies

${pairs(POLICIES.map(policyLine))}

Short names are in brackets. The first is the default of --policy, except in disco verdict (weighted_random). \
--policy a,b makes disco call run one after the other and compare them.

  --hash-key KEY             ring_hash, source_hash: the key of every call; in disco call, {{n}}, {{uuid}} or {{now}} in it makes one for each call
  --pin ID                   pinned: the id, key or address of the endpoint; required
  --pin-fallback POLICY      pinned: the policy where that endpoint is not in rotation; without it such calls fail
  --choices N                least_request: compare N endpoints drawn at random, 2 to 10; all of them without it

In a gRPC service config a policy is named disco_NAME, such as {"disco_round_robin": {}}.`,
  layouts: () => `Layouts

${pairs(
  LAYOUTS.map(({ name, keys, isConfiguration, readOnly }) => [
    name,
    `${keys}${isConfiguration ? ' (configuration, left alone)' : readOnly === null ? '' : ' (read only)'}`,
  ]),
)}

--layout NAME reads or writes one layout; NAME=BASE where its keys begin otherwise. --root PREFIX is the prefix of all keys.
Without --layout, register writes ${DEFAULT_LAYOUT.name} and every other command reads all layouts (auto).
disco layouts shows which of them are present in a registry, with their default TTL.`,
  selectors: () => `Selectors

Flags and arguments select endpoints of a service, or of all services where none is named. An endpoint has to match all of them:

  -l SELECTOR                conditions, separated by commas; -l can be given several times
  --host HOST                the host of the address
  ADDR…                      one of these addresses

  disco ls hello -l 'version=1.0.0,weight>0'
  disco drain --host 10.0.0.5 --dry-run

Conditions:

  NAME=VALUE, NAME!=VALUE    version, id, addr, weight, or a name in the metadata
  NAME in (A,B)              one of these values; NAME notin (A,B): none of them
  weight>0                   also >= < <=
  version^1.2, version~1.2   by the semver package; also > >= < <=

Values are compared as they are. A missing entry of the metadata equals the empty value. Quote words with operators or spaces \
with double quotes. A metadata entry named version, id, addr or weight is metadata.version and so on.

A target selects by parameters behind a question mark, in every command and in programs:

  disco resolve 'etcd:///hello?version=1.0.0&zone=b'
  disco call 'etcd:///hello?select=weight>0' SayHello

Each parameter may be given once; select takes a selector, URL-encoded (+ is a plus). Quote the target: ? and & belong to the \
shell. With spill-over, calls go to all endpoints of the service if none of the selected can get them.
Weights and shares are those of the whole service. disco pick spreads its picks over the selected endpoints.

The flag --version of weight, drain and unregister chooses among the endpoints that have the given address.`,
  findings: () => `Findings of disco doctor

${pairs(RULES.map(({ code, title, severity }) => [`${code} ${title}`, severity]))}

disco help D001 has the page on a finding: what it means, what it costs and how to fix it. With errors doctor exits 9. \
Under some circumstances a finding is more or less severe than listed here. What could not be checked is listed separately.`,
}

/** The page on one finding; null for an unknown code. */
export function findingPage(code: string): string | null {
  const rule = RULES.find((known) => known.code === code.toUpperCase())
  if (!rule) return null
  const paragraphs = rule.page.replaceAll(/(?<!\n)\n(?!\n)/g, ' ')
  return `${rule.code} ${rule.title} (${rule.severity})\n\n${paragraphs}`
}

function policyLine({
  name,
  shortName,
  weighted,
  shares,
}: (typeof POLICIES)[number]): readonly [string, string] {
  const label = name === shortName ? name : `${name} (${shortName})`
  const judged = {
    exact: 'judged by the largest gap',
    random: 'judged by a statistical test',
    none: 'promises no shares: not judged',
  }[shares]
  return [label, `${weighted ? 'follows the weights' : 'ignores weights'}; ${judged}`]
}

/** Formats rows in two aligned columns. */
function pairs(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`).join('\n')
}
