import type { LeaseId, Registered } from '../domain/endpoint.js'
import { leaseHex } from '../domain/endpoint.js'
import type { DiscoError } from '../domain/errors.js'
import { DEFAULT_LAYOUT, type Layout } from '../domain/layouts/index.js'
import type { RegistrationReports } from '../registry/registration.js'
import type { Palette } from './color.js'
import { jsonLine, visible } from './render/visible.js'

type Told = Required<RegistrationReports>

/** Tells what a registration goes through: lines for people, or events as `watch` writes them. */
export class RegisterView implements Told {
  private held: { readonly key: string; readonly registered: Registered } | null = null

  /** @param palette null for NDJSON */
  constructor(
    private readonly palette: Palette | null,
    private readonly askedTtlSeconds: number,
    private readonly layout: Pick<Layout, 'name' | 'weightless'>,
  ) {}

  onWaiting({ lease, ttlSeconds }: { lease: LeaseId; ttlSeconds: number }): void {
    this.remark(
      `→ the key is held by lease ${leaseHex(lease)}; waiting up to ${ttlSeconds + 2}s for it to lapse`,
    )
  }

  onRegistered(held: Parameters<Told['onRegistered']>[0]): void {
    const { registered, lease, revision, again } = held
    this.held = held
    const { service, addr, version, weight } = registered
    const hex = leaseHex(lease.id)
    if (!this.palette) {
      this.event('added', revision, {
        version,
        weight,
        lease: hex,
        grantedTtlSeconds: lease.ttlSeconds,
        again,
      })
      return
    }
    const ttl = `ttl ${lease.ttlSeconds}s${lease.ttlSeconds > this.askedTtlSeconds ? ' (the least that etcd grants)' : ''}`
    const verb = again ? 'registered again:' : 'registered'
    this.say(
      `${this.palette.green('✓')} ${verb} ${visible(service)} ${visible(addr)}${this.named(weight)}, ${ttl}, lease ${hex}`,
    )
    if (!again) this.say('  Ctrl-C: deregister.')
  }

  onChanged(now: Parameters<Told['onChanged']>[0]): void {
    const { registered, before, revision } = now
    if (this.held) this.held = { ...this.held, registered }
    const { weight } = registered
    if (!this.palette) {
      if (before.weight !== weight) this.event('weight', revision, { from: before.weight, to: weight })
      else this.event('updated', revision, { weight })
      return
    }
    const what = before.weight === weight ? 'value changed' : `weight ${before.weight} → ${weight}`
    this.say(
      `${this.palette.yellow('~')} ${visible(registered.service)} ${visible(registered.addr)} ${what} (rev ${revision})`,
    )
  }

  onReattached({ revision }: { revision: number }): void {
    if (!this.palette) this.event('updated', revision, { reattached: true })
    this.remark(`! a plain put had detached the lease; attached again (rev ${revision})`)
  }

  onLeaseLost({ lease }: { lease: LeaseId }): void {
    this.remark(`! lease ${leaseHex(lease)} is gone; registering again`)
  }

  onDeleted(): void {
    this.remark('! the key was deleted from outside; putting it back (--on-delete reregister)')
  }

  onTrouble(cause: DiscoError): void {
    if (!this.palette) this.line({ type: 'stale', since: new Date().toISOString(), cause: cause.message })
    this.remark(`! etcd does not answer: ${cause.message}; trying on`)
  }

  onRecovered(): void {
    if (!this.palette) this.line({ type: 'resync' })
    this.remark('  etcd answers again; the lease still holds')
  }

  deregisteredByOthers(key: string): void {
    this.gone(key, `! ${visible(key)} was deregistered from outside; not put back`)
  }

  closed(key: string): void {
    this.gone(key, `${this.palette?.green('✓')} deregistered ${visible(key)}`)
  }

  /** What is not stored, and what goes without saying, is not said. */
  private named(weight: number): string {
    const said = this.layout.weightless === null ? ` weight ${weight}` : ''
    return this.layout.name === DEFAULT_LAYOUT.name ? said : `${said} (${this.layout.name})`
  }

  private gone(key: string, line: string): void {
    if (this.palette) this.say(line)
    else
      this.line({
        type: 'gone',
        service: this.held?.registered.service,
        key,
        addr: this.held?.registered.addr,
        reason: 'deregistered',
      })
  }

  private event(type: string, revision: number, fields: object): void {
    const { service, addr } = this.held?.registered ?? {}
    this.line({ type, rev: String(revision), service, key: this.held?.key, addr, ...fields })
  }

  private line(fields: object): void {
    process.stdout.write(`${jsonLine({ schema: 'disco.event/v1', ...fields })}\n`)
  }

  private say(line: string): void {
    process.stdout.write(`${line}\n`)
  }

  private remark(line: string): void {
    process.stderr.write(`${visible(line)}\n`)
  }
}
