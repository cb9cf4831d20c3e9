import { roundShare, type StoredEndpointDoc, type WeightChangeDoc } from '../../domain/documents.js'
import type { Endpoint } from '../../domain/endpoint.js'
import { shareFractions } from '../../domain/shares.js'
import type { Registry, Ttl } from '../../registry/registry.js'
import type { WeightChanged } from '../../registry/weight.js'
import type { Registrar } from '../registrar/registrar.js'
import type { Phase } from '../registrar/state.js'

/** The registration in etcd. */
export interface RegistrationDoc {
  readonly schema: 'disco.registration/v1'
  readonly phase: Phase
  /** Why a key is missing in etcd; null if all keys exist. */
  readonly problem: string | null
  readonly rev: string
  readonly endpoints: readonly OwnEndpointDoc[]
}

interface OwnEndpointDoc extends StoredEndpointDoc {
  readonly service: string
  readonly id: string | null
}

export interface OwnWeightDoc {
  readonly schema: 'disco.own-weight/v1'
  readonly rev: string
  readonly endpoints: readonly { readonly key: string; readonly addr: string; readonly weight: number }[]
}

export interface OwnWeightChangeDoc {
  readonly schema: 'disco.own-weight-change/v1'
  readonly rev: string
  readonly changes: readonly WeightChangeDoc[]
}

export interface OwnHealthDoc {
  readonly schema: 'disco.own-health/v1'
  readonly healthy: boolean
  readonly phase: Phase
  /** Why it is not healthy; null if it is. */
  readonly reason: string | null
  /** `unreachable since` or `denied since`, with a time and the cause; null while etcd answers. */
  readonly etcd: string | null
}

export interface OwnLifeDoc {
  readonly schema: 'disco.own-life/v1'
  readonly alive: boolean
  readonly phase: Phase
}

/** @throws DiscoError of the registry */
export async function registrationDoc(registry: Registry, registrar: Registrar): Promise<RegistrationDoc> {
  const { revision, service, own } = await readOwn(registry, registrar)
  const shares = shareFractions(service)
  const ttls = await registry.ttls(own.flatMap(({ lease }) => lease ?? []))
  return {
    schema: 'disco.registration/v1',
    phase: registrar.phase,
    problem: registrar.status.problem,
    rev: String(revision),
    endpoints: own.map((endpoint) => {
      const { key, version, addr, weight, lease, id = null, metadata } = endpoint
      const share = roundShare(shares[service.indexOf(endpoint)] ?? 0)
      const ttl: Ttl | undefined = lease === null ? undefined : ttls.get(lease)
      return {
        key,
        service: endpoint.service,
        version,
        addr,
        weight,
        share,
        lease,
        ttlSeconds: ttl?.ttlSeconds ?? null,
        grantedTtlSeconds: ttl?.grantedTtlSeconds ?? null,
        createRevision: String(endpoint.createRevision),
        modRevision: String(endpoint.modRevision),
        id,
        metadata,
      }
    }),
  }
}

/** @throws DiscoError of the registry */
export async function ownWeightDoc(registry: Registry, registrar: Registrar): Promise<OwnWeightDoc> {
  const { revision, own } = await readOwn(registry, registrar)
  const endpoints = own.map(({ key, addr, weight }) => ({ key, addr, weight }))
  return { schema: 'disco.own-weight/v1', rev: String(revision), endpoints }
}

export function ownWeightChangeDoc({ revision, changes }: WeightChanged): OwnWeightChangeDoc {
  return {
    schema: 'disco.own-weight-change/v1',
    rev: String(revision),
    changes: changes.map(({ endpoint: { key, addr }, from, to }) => ({ key, addr, from, to })),
  }
}

/**
 * Healthy in the phase `registered`: the server is healthy, no drain runs, and all keys existed in etcd, under our
 * lease, at etcd's last answer.
 */
export function ownHealthDoc({ phase, status }: Registrar): OwnHealthDoc {
  const healthy = phase === 'registered'
  const reason = healthy ? null : (status.problem ?? `the registrar is ${phase}`)
  return { schema: 'disco.own-health/v1', healthy, phase, reason, etcd: status.etcd }
}

/** Alive while the registrar runs, in any state of etcd. */
export function ownLifeDoc({ isOver, phase }: Registrar): OwnLifeDoc {
  return { schema: 'disco.own-life/v1', alive: !isOver, phase }
}

async function readOwn(
  registry: Registry,
  { held, service: name }: Registrar,
): Promise<{ revision: number; service: readonly Endpoint[]; own: readonly Endpoint[] }> {
  const keys = new Set(held.map(({ key }) => key))
  const { revision, endpoints: service } = await registry.list(name)
  return { revision, service, own: service.filter(({ key }) => keys.has(key)) }
}
