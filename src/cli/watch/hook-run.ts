import type { HookRun } from '../../agent/hooks/hook.js'
import type { EndpointFilter } from '../../domain/endpoint-filter.js'
import type { DiscoError } from '../../domain/errors.js'
import { endpointsOf, type Snapshot } from '../../domain/snapshot.js'
import { summarizeServices } from '../../registry/service-summary.js'
import { combinedEndpoints, combinedSelection } from '../endpoints/combined.js'
import { type EndpointsDoc, endpointsDoc, type SelectedDoc, selectedDoc } from '../endpoints/document.js'
import type { Scope } from '../flags/target.js'
import type { RegistryPart } from '../registries/parts.js'
import { jsonLine, prettyJsonLines, visible } from '../terminal/visible.js'
import type { EventDoc } from './document.js'

/** The list of one registry. */
export interface WatchedList {
  /** Null before the first list. */
  readonly snapshot: Snapshot | null
  /** The error since which the list may be out of date; null if it is up to date. */
  readonly stale: DiscoError | null
}

/** The lists of a watch by the name of their registry; the name of a single registry is undefined. */
export type WatchedLists = ReadonlyMap<string | undefined, WatchedList>

export type WatchScope = Pick<Scope<string | undefined>, 'service' | 'filter'>

/**
 * The run of a command for an event: the event's document is the standard input, its main fields are environment
 * variables, and the list is the snapshot. Invisible characters are shown as codes in the variables, because variables
 * cannot contain NUL, and scripts print them.
 */
export function hookRun(event: EventDoc, scope: WatchScope, lists: WatchedLists): HookRun {
  const { type, service = '' } = event
  const addr = 'addr' in event ? event.addr : ''
  const rev = 'rev' in event ? event.rev : ''
  const [from, to] = event.type === 'weight' ? [event.from, event.to].map(String) : ['', '']
  const texts = {
    DISCO_TYPE: type,
    DISCO_SERVICE: service,
    DISCO_ADDR: addr,
    DISCO_REV: rev,
    DISCO_FROM: from ?? '',
    DISCO_TO: to ?? '',
  }
  return {
    name: [type, service, addr].filter((text) => text !== '').join(' '),
    env: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, visible(text)])),
    input: `${jsonLine(event)}\n`,
    snapshot: () => prettyJsonLines(listDoc(scope, lists)),
  }
}

/** The document of `disco ls`, without the times of leases. */
function listDoc(scope: WatchScope, lists: WatchedLists): EndpointsDoc | SelectedDoc {
  const { service, filter } = scope
  const doc =
    service === undefined
      ? combinedSelection(partsOf(lists, (snapshot) => docOfAll(snapshot, filter)))
      : combinedEndpoints(partsOf(lists, (snapshot) => docOfService(service, snapshot, filter)))
  if (doc.registries === undefined) return doc
  const problemOf = (registry: string) => lists.get(registry)?.stale?.message ?? null
  return { ...doc, registries: doc.registries.map((one) => ({ ...one, problem: problemOf(one.registry) })) }
}

/** The document of each registry. A registry without a list has its error instead. */
function partsOf<Doc>(lists: WatchedLists, docOf: (snapshot: Snapshot) => Doc): RegistryPart<Doc>[] {
  return [...lists].flatMap(([registry = null, { snapshot, stale }]) => {
    const read = snapshot === null ? stale : docOf(snapshot)
    return read === null ? [] : [{ registry, read }]
  })
}

function docOfService(service: string, { revision, byKey }: Snapshot, filter: EndpointFilter): EndpointsDoc {
  return endpointsDoc(service, { revision, endpoints: endpointsOf({ byKey }) }, null, undefined, filter)
}

function docOfAll({ revision, byKey }: Snapshot, filter: EndpointFilter): SelectedDoc {
  const docs = summarizeServices(endpointsOf({ byKey })).services.map(({ service, endpoints }) =>
    endpointsDoc(service, { revision, endpoints }, null, undefined, filter),
  )
  return selectedDoc(revision, docs)
}
