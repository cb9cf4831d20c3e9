import type { EndpointRecord, LeaseId } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import type { KeeperReports } from '../../etcd/lease-keeper.js'
import type { KeyReports } from './held-key.js'

/** What a held registration goes through; each is told once. */
export interface RegistrationReports extends KeyReports, KeeperReports {
  onWaiting?(found: { key: string; lease: LeaseId; ttlSeconds: number }): void
  /** One of several keys is no longer held, the others are: deleted on purpose, or taken over (CONFLICT). */
  onDropped?(dropped: { key: string; registered: EndpointRecord; why: 'deregistered' | DiscoError }): void
}
