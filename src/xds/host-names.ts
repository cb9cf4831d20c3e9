/** Lookups under way at one time: each may occupy a thread of Node's pool, which also reads files, for seconds. */
const MOST_LOOKUPS = 2

/** How often a host name is looked up again. */
const REFRESH_MS = 10_000

/** How long a service waits for the first answer about a host name, before it is served without it. */
const FIRST_ANSWER_MS = 2_000

export interface HostNamesSettings {
  /** Rejects where the name cannot be resolved. */
  readonly lookup: (host: string) => Promise<readonly string[]>
  /** Services whose host names have other addresses now. */
  readonly changed: (services: Iterable<string>) => void
}

interface Host {
  readonly services: Set<string>
  /** Sorted. Those of the last lookup that succeeded. */
  ips: readonly string[]
  /** Whether it is not waited for any more. */
  isSettled: boolean
  timer: NodeJS.Timeout
}

/**
 * Follows the addresses of host names. One that cannot be resolved any more keeps its last addresses: a failure of DNS
 * must not empty a service.
 */
export class HostNames {
  private readonly hosts = new Map<string, Host>()
  private readonly hostsOf = new Map<string, ReadonlySet<string>>()
  private readonly queue: string[] = []
  private lookups = 0

  constructor(private readonly settings: HostNamesSettings) {}

  /** Follows these names for a service, and no longer those that it had before. */
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

  /** Whether a first answer is still waited for. */
  isPending(name: string): boolean {
    return this.hosts.get(name)?.isSettled === false
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
    const timer = setTimeout(() => this.settle(host), FIRST_ANSWER_MS)
    const host: Host = { services: new Set([service]), ips: [], isSettled: false, timer }
    this.hosts.set(name, host)
    this.queue.push(name)
    this.lookUp()
  }

  private remove(name: string, service: string): void {
    const host = this.hosts.get(name)
    host?.services.delete(service)
    if (!host || host.services.size > 0) return
    clearTimeout(host.timer)
    this.hosts.delete(name)
  }

  private settle(host: Host): void {
    if (host.isSettled) return
    host.isSettled = true
    this.settings.changed(host.services)
  }

  private lookUp(): void {
    while (this.lookups < MOST_LOOKUPS) {
      const name = this.queue.shift()
      if (name === undefined) return
      const host = this.hosts.get(name)
      if (!host) continue
      this.lookups++
      void this.settings
        .lookup(name)
        // What fails now may be resolved later.
        .catch(() => host.ips)
        .then((ips) => this.answered(name, host, ips))
    }
  }

  private answered(name: string, host: Host, found: readonly string[]): void {
    this.lookups--
    this.lookUp()
    if (this.hosts.get(name) !== host) return
    clearTimeout(host.timer)
    host.timer = setTimeout(() => {
      this.queue.push(name)
      this.lookUp()
    }, REFRESH_MS).unref()
    const ips = [...new Set(found)].sort()
    const isNew = ips.join() !== host.ips.join()
    host.ips = ips
    if (!host.isSettled) this.settle(host)
    else if (isNew) this.settings.changed(host.services)
  }
}

const NONE: ReadonlySet<string> = new Set()
