import { Backoff, type BackoffLimits } from '../net/backoff.js'

/** Maximum number of parallel lookups: each may occupy a thread of Node's pool, which also reads files, for seconds. */
const MAX_LOOKUPS = 2

/** Period of lookups of a host name. */
const REFRESH_MS = 10_000

/** Waits after failed lookups: 10 s or more, doubling to 80 s or more, because a failing lookup may take 10 s. */
const RETRY_BACKOFF: BackoffLimits = { firstMs: REFRESH_MS, maxMs: 120_000, jitter: 'longer' }

/** How long a first lookup may take before the name counts as late. */
const LATE_MS = 2_000

/**
 * The progress of a host name's first lookup. `awaited`: it is queued, or has run for less than `LATE_MS`. `late`: it
 * has run for longer. `ended`: it has succeeded or failed.
 */
export type LookupProgress = 'awaited' | 'late' | 'ended'

export interface HostNamesSettings {
  /** Resolves to the addresses as IP literals. Rejects if the name cannot be resolved. */
  readonly lookup: (host: string) => Promise<readonly string[]>
  /** Called with the services of a host name whose addresses or `LookupProgress` have changed. */
  readonly changed: (services: Iterable<string>) => void
}

interface Host {
  readonly name: string
  readonly services: Set<string>
  /** The addresses of the last successful lookup, sorted. */
  ips: readonly string[]
  progress: LookupProgress
  /** Whether the last lookup failed. */
  isFailing: boolean
  /** The waits after failed lookups. */
  readonly backoff: Backoff
  /** The timer after which the name counts as late, or after which its next lookup begins. */
  timer: NodeJS.Timeout | undefined
}

/**
 * Follows the addresses of host names. A name that can no longer be resolved keeps its last addresses: a failure of DNS
 * must not empty a service.
 */
export class HostNames {
  private readonly hosts = new Map<string, Host>()
  private readonly hostsOf = new Map<string, ReadonlySet<string>>()
  /** Queues of hosts to look up, the most urgent first: first lookups, refreshes, and repetitions of failed lookups. */
  private readonly queues: readonly [Host[], Host[], Host[]] = [[], [], []]
  private lookups = 0
  /** Number of running lookups of names whose last lookup failed. */
  private retries = 0

  constructor(private readonly settings: HostNamesSettings) {}

  /** Follows these names for a service, in place of its previous ones. */
  use(service: string, names: ReadonlySet<string>): void {
    const before = this.hostsOf.get(service) ?? NONE
    if (names.size === 0) this.hostsOf.delete(service)
    else this.hostsOf.set(service, names)
    for (const name of names) if (!before.has(name)) this.add(name, service)
    for (const name of before) if (!names.has(name)) this.remove(name, service)
  }

  ipsOf(name: string): readonly string[] {
    return this.hosts.get(name)?.ips ?? []
  }

  progressOf(name: string): LookupProgress {
    return this.hosts.get(name)?.progress ?? 'ended'
  }

  close(): void {
    for (const { timer } of this.hosts.values()) clearTimeout(timer)
    this.hosts.clear()
    this.hostsOf.clear()
  }

  private add(name: string, service: string): void {
    const known = this.hosts.get(name)
    if (known) {
      known.services.add(service)
      return
    }
    const host: Host = {
      name,
      services: new Set([service]),
      ips: [],
      progress: 'awaited',
      isFailing: false,
      backoff: new Backoff(RETRY_BACKOFF),
      timer: undefined,
    }
    this.hosts.set(name, host)
    this.queue(host)
  }

  private remove(name: string, service: string): void {
    const host = this.hosts.get(name)
    host?.services.delete(service)
    if (!host || host.services.size > 0) return
    clearTimeout(host.timer)
    this.hosts.delete(name)
  }

  private queue(host: Host): void {
    const [first, refresh, retry] = this.queues
    const queue = host.isFailing ? retry : host.progress === 'ended' ? refresh : first
    queue.push(host)
    this.lookUp()
  }

  private next(): Host | undefined {
    const [first, refresh, retry] = this.queues
    const urgent = first.shift() ?? refresh.shift()
    if (urgent) return urgent
    // At most one lookup at a time repeats a failed name, so that the others stay free.
    return this.retries === 0 ? retry.shift() : undefined
  }

  private lookUp(): void {
    while (this.lookups < MAX_LOOKUPS) {
      const host = this.next()
      if (!host) return
      if (this.hosts.get(host.name) !== host) continue
      const isRetry = host.isFailing
      this.lookups++
      if (isRetry) this.retries++
      // The time in the queue is not part of `LATE_MS`.
      if (host.progress === 'awaited') host.timer = setTimeout(() => this.late(host), LATE_MS)
      void this.settings
        .lookup(host.name)
        .catch(() => [])
        .then((ips) => {
          this.lookups--
          if (isRetry) this.retries--
          this.answered(host, ips)
          this.lookUp()
        })
    }
  }

  private late(host: Host): void {
    host.progress = 'late'
    this.settings.changed(host.services)
  }

  /** Handles the end of a lookup. @param found empty if the lookup failed */
  private answered(host: Host, found: readonly string[]): void {
    if (this.hosts.get(host.name) !== host) return
    clearTimeout(host.timer)
    host.isFailing = found.length === 0
    if (!host.isFailing) host.backoff.reset()
    const waitMs = host.isFailing ? host.backoff.next() : REFRESH_MS
    host.timer = setTimeout(() => this.queue(host), waitMs).unref()
    // After a failed lookup, the previous addresses stay.
    const ips = found.length > 0 ? [...new Set(found)].sort() : host.ips
    const isOther = host.progress !== 'ended' || ips.join() !== host.ips.join()
    host.ips = ips
    host.progress = 'ended'
    if (isOther) this.settings.changed(host.services)
  }
}

const NONE: ReadonlySet<string> = new Set()
