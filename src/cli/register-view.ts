import type { LeaseId, Registered } from '../domain/endpoint.js'
import { leaseHex } from '../domain/endpoint.js'
import { DiscoError } from '../domain/errors.js'
import type { RegistrationReports } from '../registry/registration.js'
import type { Palette } from './color.js'
import { jsonLine, visible } from './render/visible.js'

type Told = Required<RegistrationReports>

/** Tells what a registration goes through: lines for people, or events as `watch` writes them. */
export class RegisterView implements Told {
  private readonly held = new Map<string, Registered>()

  /** @param palette null for NDJSON */
  constructor(
    protected readonly palette: Palette | null,
    private readonly askedTtlSeconds: number,
  ) {}

  onWaiting({ key, lease, ttlSeconds }: { key: string; lease: LeaseId; ttlSeconds: number }): void {
    this.remark(
      `→ ${key} is held by lease ${leaseHex(lease)}; waiting up to ${ttlSeconds + 2}s for it to lapse`,
    )
  }

  onRegistered({ key, registered, lease, revision, again }: Parameters<Told['onRegistered']>[0]): void {
    this.held.set(key, registered)
    const { service, addr, version, weight } = registered
    const hex = leaseHex(lease.id)
    if (!this.palette) {
      const grantedTtlSeconds = lease.ttlSeconds
      this.event('added', key, revision, { version, weight, lease: hex, grantedTtlSeconds, again })
      return
    }
    const ttl = `ttl ${lease.ttlSeconds}s${lease.ttlSeconds > this.askedTtlSeconds ? ' (the least that etcd grants)' : ''}`
    const verb = again ? 'registered again:' : 'registered'
    this.say(
      `${this.palette.green('✓')} ${verb} ${visible(service)} ${visible(addr)} weight ${weight}, ${ttl}, lease ${hex}`,
    )
  }

  onChanged({ key, registered, before, revision }: Parameters<Told['onChanged']>[0]): void {
    this.held.set(key, registered)
    const { weight } = registered
    if (!this.palette) {
      if (before.weight !== weight) this.event('weight', key, revision, { from: before.weight, to: weight })
      else this.event('updated', key, revision, { weight })
      return
    }
    const what = before.weight === weight ? 'value changed' : `weight ${before.weight} → ${weight}`
    this.say(
      `${this.palette.yellow('~')} ${visible(registered.service)} ${visible(registered.addr)} ${what} (rev ${revision})`,
    )
  }

  onReattached({ key, revision }: { key: string; revision: number }): void {
    if (!this.palette) this.event('updated', key, revision, { reattached: true })
    this.remark(`! a plain put had detached the lease of ${key}; attached again (rev ${revision})`)
  }

  onLeaseLost({ lease }: { lease: LeaseId }): void {
    this.remark(`! lease ${leaseHex(lease)} is gone; registering again`)
  }

  onDeleted({ key }: { key: string }): void {
    this.remark(`! ${key}: the key was deleted from outside; putting it back (--on-delete reregister)`)
  }

  onDropped({ key, why }: Parameters<Told['onDropped']>[0]): void {
    if (why instanceof DiscoError) this.remark(`! ${why.message}; the others are held`)
    else this.deregisteredByOthers(key)
  }

  onTrouble(cause: DiscoError): void {
    if (!this.palette) this.line({ type: 'stale', since: new Date().toISOString(), cause: cause.message })
    this.remark(`! etcd does not answer: ${cause.message}; trying on`)
  }

  onRecovered(): void {
    if (!this.palette) this.line({ type: 'resync' })
    this.remark('  etcd answers again; the lease still holds')
  }

  deregisteredByOthers(...keys: readonly string[]): void {
    this.gone(keys, (key) => `! ${key} was deregistered from outside; not put back`)
  }

  closed(): void {
    this.gone([...this.held.keys()], (key) => `${this.palette?.green('✓')} deregistered ${key}`)
  }

  private gone(keys: readonly string[], line: (key: string) => string): void {
    for (const key of keys) {
      const { service, addr } = this.held.get(key) ?? {}
      if (this.palette) this.say(line(visible(key)))
      else this.line({ type: 'gone', service, key, addr, reason: 'deregistered' })
      this.held.delete(key)
    }
  }

  private event(type: string, key: string, revision: number, fields: object): void {
    const { service, addr } = this.held.get(key) ?? {}
    this.line({ type, rev: String(revision), service, key, addr, ...fields })
  }

  private line(fields: object): void {
    process.stdout.write(`${jsonLine({ schema: 'disco.event/v1', ...fields })}\n`)
  }

  say(line: string): void {
    process.stdout.write(`${line}\n`)
  }

  private remark(line: string): void {
    process.stderr.write(`${visible(line)}\n`)
  }
}
