import type { EndpointId } from '../domain/endpoint.js'

/** An endpoint that calls did not go to, although it has a share. */
export interface Unready {
  readonly id: EndpointId
  readonly addr: string
  readonly problem: string
  /** An attempt to connect to it failed, rather than that it was still under way. */
  readonly isRefused: boolean
}

/** Who of the wanted endpoints could be reached. */
export interface Readiness {
  readonly ready: number
  readonly wanted: number
  readonly elapsedMs: number
  readonly unready: readonly Unready[]
}
