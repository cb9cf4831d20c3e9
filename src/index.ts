export { type DrainOptions, type LiveRegistration, type RegisterOptions, register } from './agent/register.js'
export type { RegistrarEvents } from './agent/registrar/events.js'
export type { Abortable } from './domain/abortable.js'
export type {
  Change,
  Changes,
  Delete,
  Discovery,
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
export { DiscoError, type DiscoErrorOptions, type ErrorCode, type EtcdReason } from './domain/errors.js'
export { parseWeightChange, type WeightChange, type WeightForm } from './domain/weight.js'
export type { RegistrationRequest } from './registry/registration/acquire.js'
export type { EventSink, RegistrationEvents } from './registry/registration/events.js'
export type { Ended, Registration } from './registry/registration/registration.js'
export {
  type CacheOptions,
  type EndpointList,
  type EtcdOptions,
  type HoldOptions,
  type Place,
  Registry,
  type RegistryOptions,
  type Ttl,
} from './registry/registry.js'
export type { EndpointSelection } from './registry/selection.js'
export type { Unregistered, UnregisterOptions } from './registry/unregister.js'
export type { EndpointChange, WeightChanged, WeightOptions } from './registry/weight.js'
