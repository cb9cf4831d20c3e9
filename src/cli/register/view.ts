import type { RegistrarEvents } from '../../agent/registrar/events.js'
import type { Registrar } from '../../agent/registrar/registrar.js'
import type { EndpointRecord } from '../../domain/endpoint.js'
import type { DiscoError } from '../../domain/errors.js'
import { DEFAULT_LAYOUT, type Layout } from '../../domain/layouts/index.js'
import { markInLog } from '../../domain/look-alike.js'
import type { DocumentWriter } from '../output/document-writer.js'
import { writeRemark } from '../output/remark.js'
import { standardOutput } from '../output/standard-output.js'
import type { Palette } from '../terminal/color.js'
import { duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'

type Payload<Name extends keyof RegistrarEvents> = RegistrarEvents[Name][0]

/** Prints the events of a registration: lines for display, or NDJSON in the format of `watch`. */
export class RegisterView {
  private readonly held = new Map<string, EndpointRecord>()
  /** Addresses that etcd refuses to register again. */
  private readonly refused = new Set<string>()
  /** The result of the server's probe, printed together with the registration that follows it. */
  private health = ''
  private readonly mark = markInLog()

  /**
   * @param palette null to print documents instead of lines for display
   * @param print prints a line for display
   * @param writer formats the documents
   */
  constructor(
    private readonly palette: Palette | null,
    private readonly askedTtlSeconds: number,
    private readonly layout: Pick<Layout, 'name' | 'weightless'>,
    private readonly print: (line: string) => void,
    private readonly writer: DocumentWriter,
  ) {}

  follow(registrar: Registrar): void {
    registrar
      .on('waiting', ({ key, lease, ttlSeconds }) => {
        const seconds = `waiting up to ${ttlSeconds + 2}s for it to lapse`
        this.remark(`→ ${this.mark(key)} is held by lease ${lease}; ${seconds}`)
      })
      .on('registered', (held) => this.registered(held))
      .on('changed', (now) => this.changed(now))
      .on('reattached', ({ key, revision }) => {
        if (!this.palette) this.event('updated', key, revision, { reattached: true })
        this.remark(
          `! a plain put had detached the lease of ${this.mark(key)}; attached again (rev ${revision})`,
        )
      })
      .on('leaseLost', ({ lease }) => this.remark(`! lease ${lease} is gone; registering again`))
      .on('deleted', ({ key }) => {
        this.remark(
          `! ${this.mark(key)}: the key was deleted from outside; putting it back (--on-delete reregister)`,
        )
      })
      .on('refused', ({ key, registered, cause }) => {
        this.refused.add(registered.addr)
        const hints = cause.suggestions.length > 0 ? `. ${cause.suggestions.join('. ')}` : ''
        this.remark(`! ${this.mark(key)} is not registered: ${cause.message}; retrying${hints}`)
      })
      .on('dropped', ({ key, why }) => this.dropped(key, why))
      .on('trouble', (cause) => {
        if (!this.palette) this.line({ type: 'stale', since: new Date().toISOString(), cause: cause.message })
        const what = cause.code === 'ETCD_DENIED' ? 'denies' : 'does not answer'
        this.remark(`! etcd ${what}: ${cause.message}; retrying`)
      })
      .on('recovered', ({ leaseHolds }) => {
        if (!this.palette) this.line({ type: 'resync' })
        this.remark(`  etcd answers again${leaseHolds ? '; the lease still holds' : ''}`)
      })
      .on('lost', ({ conflict }) => {
        if (conflict) this.held.clear()
        for (const key of [...this.held.keys()]) this.dropped(key, 'deregistered')
      })
      .on('deregistered', () => {
        for (const key of [...this.held.keys()])
          this.gone(key, `${this.palette?.green('✓')} deregistered ${this.shown(key)}`)
      })
      .on('lapsing', ({ cause }) => {
        this.held.clear()
        this.remark(
          `! etcd did not confirm the removal (${cause.message}): the key goes when its lease lapses`,
        )
      })
      .on('healthy', ({ detail, afterMs, again }) => {
        this.health = again ? `${detail} again; ` : `${detail} after ${duration(afterMs)}; `
      })
  }

  private registered({ key, registered, lease, revision, again }: Payload<'registered'>): void {
    // Under another lease, some layouts give an endpoint another key.
    for (const [old, { addr }] of this.held) if (addr === registered.addr) this.held.delete(old)
    this.held.set(key, registered)
    const { service, addr, version, weight } = registered
    if (this.refused.delete(addr)) this.remark(`  ${this.mark(key)} is registered again`)
    if (!this.palette) {
      const grantedTtlSeconds = lease.ttlSeconds
      this.event('added', key, revision, { version, weight, lease: lease.id, grantedTtlSeconds, again })
      return
    }
    const ttl = `ttl ${lease.ttlSeconds}s${lease.ttlSeconds > this.askedTtlSeconds ? ' (the minimum that etcd grants)' : ''}`
    const verb = `${visible(this.health)}${again ? 'registered again:' : 'registered'}`
    this.health = ''
    this.print(
      `${this.palette.green('✓')} ${verb} ${this.shown(service)} ${this.shown(addr)}${this.named(weight)}, ${ttl}, lease ${lease.id}`,
    )
  }

  private changed({ key, registered, before, revision }: Payload<'changed'>): void {
    this.held.set(key, registered)
    const { weight } = registered
    if (!this.palette) {
      if (before.weight !== weight) this.event('weight', key, revision, { from: before.weight, to: weight })
      else this.event('updated', key, revision, { weight })
      return
    }
    const what = before.weight === weight ? 'value changed' : `weight ${before.weight} → ${weight}`
    this.print(
      `${this.palette.yellow('~')} ${this.shown(registered.service)} ${this.shown(registered.addr)} ${what} (rev ${revision})`,
    )
  }

  private dropped(key: string, why: 'deregistered' | DiscoError): void {
    if (why === 'deregistered')
      this.gone(key, `! ${this.shown(key)} was deregistered from outside; not put back`)
    else {
      this.held.delete(key)
      this.remark(`! ${why.message}; left unchanged`)
    }
  }

  /** Names the weight if the layout stores one, and the layout if it is not the default. */
  private named(weight: number): string {
    const shown = this.layout.weightless === null ? ` weight ${weight}` : ''
    return this.layout.name === DEFAULT_LAYOUT.name ? shown : `${shown} (${this.layout.name})`
  }

  private gone(key: string, line: string): void {
    const { service, addr } = this.held.get(key) ?? {}
    this.held.delete(key)
    if (this.palette) this.print(line)
    else this.line({ type: 'gone', service, key, addr, reason: 'deregistered' })
  }

  private event(type: string, key: string, revision: number, fields: object): void {
    const { service, addr } = this.held.get(key) ?? {}
    this.line({ type, rev: String(revision), service, key, addr, ...fields })
  }

  private line(fields: object): void {
    standardOutput().writeLine(this.writer.line({ schema: 'disco.event/v1', ...fields }))
  }

  /** A name or key of the registry, safe for a terminal, and marked if it looks like another one. */
  private shown(name: string): string {
    return visible(this.mark(name))
  }

  private remark(line: string): void {
    writeRemark(visible(line))
  }
}
