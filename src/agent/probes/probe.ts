/** What a probe found: whether the server may have traffic, and in words why, or why not. */
export interface Probed {
  readonly isHealthy: boolean
  readonly said: string
}

/** Asks a server once. Never rejects, and is over within the deadline. */
export type Probe = (deadlineMs: number) => Promise<Probed>

/** Healthy where all are; otherwise what the first of the others said. */
export function allOf(probes: readonly Probe[]): Probe {
  return async (deadlineMs) => {
    const all = await Promise.all(probes.map((probe) => probe(deadlineMs)))
    return all.find(({ isHealthy }) => !isHealthy) ?? all[0] ?? { isHealthy: true, said: '' }
  }
}
