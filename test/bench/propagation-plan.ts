/** Endpoints of the service whose weights change. */
export const ENDPOINTS = 1_000

/** Each change is of the next endpoint, so that no change hides another. Every address of 127.0.0.0/8 is this machine's. */
export function addressAt(change: number, port: string): string {
  const index = (change * 7) % ENDPOINTS
  return `127.0.${1 + (index >> 8)}.${index & 255}:${port}`
}

/** A weight that no other change gives. */
export function weightOf(change: number): number {
  return change + 2
}

/** Milliseconds since the epoch, with fractions: processes of one machine agree on it. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
