import { readAddress } from '../domain/address.js'
import {
  type Endpoint,
  type EndpointProblem,
  isReadable,
  leaseIdOf,
  type Revision,
} from '../domain/endpoint.js'

/** The last good list of a service, as stored on disk. */
export interface CachedList {
  readonly revision: Revision
  readonly endpoints: readonly Endpoint[]
  /** When the list was last confirmed, in milliseconds since the epoch. */
  readonly seenAtMs: number
}

type Members = Readonly<Record<string, unknown>>

/** etcd's default limit of a request, 1.5 MB: a longer text in a list is not from etcd. */
const MAX_TEXT = 1_572_864

/**
 * A list from the JSON of its file. The file is not trusted more than the registry: every value must be one that a
 * layout could have read, and belong to this service.
 *
 * @returns null if any value is invalid
 */
export function readCachedList(members: Members, service: string): CachedList | null {
  const { revision, seenAtMs } = members
  const isTimed = isWhole(revision) && revision >= 1 && isWhole(seenAtMs)
  if (!isTimed || !Array.isArray(members.endpoints)) return null
  const endpoints = members.endpoints.map(withProblemKind)
  if (!endpoints.every((value) => isEndpoint(value, service, revision))) return null
  return { revision, seenAtMs, endpoints }
}

/** Converts an endpoint of an older list, in which `problem` was a text beside the fields `unreadable` and `rootHint`. */
function withProblemKind(value: unknown): unknown {
  if (!isObject(value) || !isText(value.problem)) return value
  const { problem: text, unreadable, rootHint: _, ...rest } = value
  return { ...rest, problem: { kind: unreadable === true ? 'unreadable' : 'not-dialled', text } }
}

/** Converts an endpoint of an older list, in which the lease id was decimal. */
export function withLeaseId(value: unknown): unknown {
  if (!isObject(value) || !isText(value.lease) || !/^-?\d{1,19}$/.test(value.lease)) return value
  return { ...value, lease: leaseIdOf(value.lease) }
}

function isEndpoint(value: unknown, service: string, revision: Revision): value is Endpoint {
  if (!isObject(value)) return false
  const { key, version, addr, weight, layout, problem, lease, metadata, id } = value
  const { createRevision, modRevision, extra } = value
  const areTexts = [key, version, addr, layout].every(isText) && key !== ''
  if (problem !== null && !isProblem(problem)) return false
  const isOfEtcd =
    isWhole(createRevision) &&
    isWhole(modRevision) &&
    createRevision <= modRevision &&
    modRevision <= revision
  const isLease = lease === null || (isText(lease) && /^[0-9a-f]{16}$/.test(lease))
  const isMap = isObject(metadata) && Object.values(metadata).every(isText)
  const areOptional = (id === undefined || isText(id)) && (extra === undefined || isObject(extra))
  // An unreadable value may name another service than its key.
  const isOfService = isText(value.service) && (value.service === service || !isReadable({ problem }))
  const isKnown = isOfService && areTexts && areOptional && isOfEtcd && isLease && isMap
  if (!isKnown || !isWeight(weight)) return false
  // Endpoints that cannot be dialled are listed with the reason.
  return problem !== null || isDialled(addr)
}

function isProblem(value: unknown): value is EndpointProblem {
  if (!isObject(value) || !isText(value.text)) return false
  const { kind, belongsAt, rootHint } = value
  if (kind === 'misplaced') return isText(belongsAt) && (rootHint === null || isText(rootHint))
  return kind === 'not-dialled' || kind === 'unreadable'
}

function isDialled(addr: unknown): boolean {
  return isText(addr) && !('problem' in readAddress(addr))
}

/** A number of at least 0; some layouts have fractions. */
function isWeight(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
