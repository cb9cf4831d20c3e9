export type { Probed } from './agent/health/probes.js'
export type { ProcessEnd } from './agent/processes/child-process.js'
export {
  type DrainOptions,
  type HandlerOptions,
  type LiveRegistration,
  type RegisterOptions,
  register,
} from './agent/register.js'
export type { RegistrarEvents } from './agent/registrar/events.js'
export type { Abortable } from './domain/abortable.js'
export type {
  Change,
  Changes,
  Delete,
  Discovery,
  OfRegistry,
  Put,
  Query,
  Reset,
  Resync,
  Stale,
  Update,
} from './domain/discovery.js'
export type {
  Endpoint,
  EndpointId,
  EndpointProblem,
  EndpointRecord,
  LeaseId,
  Revision,
} from './domain/endpoint.js'
export type { EndpointFilter } from './domain/endpoint-filter.js'
export { DiscoError, type DiscoErrorOptions, type ErrorCode, type EtcdReason } from './domain/errors.js'
export type { FileSource, NamedFile, ReadContent } from './domain/file-source.js'
export type { Origin, Origins } from './domain/origins.js'
export { parseWeightChange, type WeightChange, type WeightForm } from './domain/weight.js'
export { type CombineOptions, combineRegistries } from './registry/combined/combine.js'
export type { ContextOption } from './registry/context-options.js'
export type { LayoutCount, LayoutCounts } from './registry/layout-counts.js'
export type { RegistrationRequest } from './registry/registration/acquire.js'
export type {
  EventSink,
  GrantedLease,
  KeepAliveEvents,
  RegistrationEvents,
} from './registry/registration/events.js'
export type { Ended, Registration } from './registry/registration/registration.js'
export {
  type CacheOptions,
  type EndpointList,
  type EtcdOptions,
  type HoldOptions,
  type ListOptions,
  type Place,
  Registry,
  type RegistryOptions,
  type Ttl,
} from './registry/registry.js'
export type { EndpointSelection } from './registry/selection.js'
export type { Unregistered, UnregisterOptions } from './registry/unregister.js'
export type { EndpointChange, WeightChanged, WeightOptions } from './registry/weight.js'
export type { LeftOut } from './registry/weight-targets.js'
