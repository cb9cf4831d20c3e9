import type { Discovery } from '../domain/discovery.js'
import { install } from '../grpc/install.js'
import { type Resolution, resolveTarget } from '../grpc/resolver/resolve.js'

export type { RegisteredEndpoint } from '../grpc/resolver/endpoint.js'
export type { Resolution }

/** Resolves a target once, as a channel of this process would. @throws DiscoError as `resolveTarget` */
export async function resolve(
  discovery: Discovery,
  target: string,
  signal: AbortSignal,
): Promise<Resolution> {
  install({ discovery })
  return await resolveTarget(target, signal)
}
