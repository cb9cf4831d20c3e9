import type { EndpointRecord } from '../domain/endpoint.js'
import type { Registration } from '../registry/registration/registration.js'
import { Registry } from '../registry/registry.js'
import { type Greeter, startGreeter } from './greeter.js'

/** A sample backend to start and register. */
export interface BackendPlan {
  readonly weight: number
  readonly latencyMs: number
  /** The part of the calls that fail, from 0 to 1. */
  readonly errorFraction: number
}

export interface Backend {
  readonly addr: string
  readonly weight: number
}

/** Sample backends. They are registered by `Registry.register`, like any other server. */
export interface Backends {
  readonly list: readonly Backend[]
  /** Deregisters all of them, then stops them. */
  close(): Promise<void>
}

/** Short enough that a user can wait for an expiry. */
const TTL_SECONDS = 10

/** Starts the backends on free loopback ports and registers each with its weight. */
export async function startBackends(
  endpoint: string,
  { service, version, plans }: { service: string; version: string; plans: readonly BackendPlan[] },
): Promise<Backends> {
  const registry = await Registry.open({
    endpoints: [endpoint],
    endpointsSource: 'disco dev',
    commandTimeoutMs: 5_000,
    dialTimeoutMs: 1_000,
    cache: false,
  })
  const greeters = await Promise.all(plans.map((plan) => startGreeter({ port: 0, ...plan })))
  const registrations = await Promise.all(
    greeters.map((greeter, index) =>
      register(registry, registeredAs(greeter, service, version, plans[index]?.weight ?? 1)),
    ),
  )
  return {
    list: greeters.map(({ addr }, index) => ({ addr, weight: plans[index]?.weight ?? 1 })),
    close: async () => {
      await Promise.all(registrations.map((registration) => registration.close()))
      for (const greeter of greeters) greeter.stop()
      registry.close()
    },
  }
}

function registeredAs({ addr }: Greeter, service: string, version: string, weight: number): EndpointRecord {
  return { service, version, addr, weight, metadata: {} }
}

function register(registry: Registry, registered: EndpointRecord): Promise<Registration> {
  return registry.register({ registered, ttlSeconds: TTL_SECONDS })
}
