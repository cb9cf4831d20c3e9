import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import { markInLog, markNames } from '../../domain/look-alike.js'
import type { Palette } from '../terminal/color.js'
import { count, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { EventDoc } from './document.js'

/** Renders events as lines of a log, and marks look-alike names in them. */
export class EventLog {
  private readonly mark = markInLog()

  private readonly shown: TextFormat = {
    name: (name) => visible(this.mark(name)),
    text: (text) => visible(markNames(text, this.mark)),
  }

  constructor(private readonly palette: Palette) {}

  /** Time, revision, change, endpoint, and the effect on its share. A past change has no time: etcd stores no times. */
  line(event: EventDoc, at: Date): string {
    const { palette } = this
    const time = palette.dim(event.past ? '--------' : at.toTimeString().slice(0, 8))
    const rev = palette.dim(('rev' in event ? `rev ${event.rev}` : '--------').padEnd(9))
    const registry = event.registry === undefined ? '' : `${event.registry}  `
    return `${time}  ${rev} ${registry}${describe(event, this.shown, palette)}`.trimEnd()
  }
}

interface TextFormat {
  name(name: string): string
  /** A text that may contain names. */
  text(text: string): string
}

function describe(event: EventDoc, { name, text }: TextFormat, palette: Palette): string {
  const where = ({ service, addr }: { service: string; addr: string }) => `${name(service)} ${name(addr)}`
  switch (event.type) {
    case 'synced': {
      const weight = event.weightsUnset ? 'weights unset' : `weight ${event.weight}`
      return `synced   ${count(event.endpoints, 'endpoint')}, ${weight}`
    }
    case 'stale':
      return palette.red(`! STALE: the last list is kept; etcd lost: ${visible(event.cause)}`)
    case 'resync': {
      if (event.missedRevisions === null) return 'resync   etcd is back; the missed changes follow'
      return `resync   missed ${count(event.missedRevisions, 'revision')}, ${count(event.changes, 'change')} applied`
    }
    case 'added': {
      const version = event.version === '' ? '' : `v${name(event.version)} `
      const what = event.problem === null ? `${version}weight ${event.weight}` : text(event.problem)
      const layout = event.layout === DEFAULT_LAYOUT.name ? '' : `  (${event.layout})`
      return `${palette.green('+ added ')} ${where(event)}  ${what}  share ${percent(event.share)}${layout}`
    }
    case 'weight': {
      const share = `share ${percent(event.share.from)} → ${percent(event.share.to)}`
      return `${palette.yellow('~ weight')} ${where(event)}  ${event.from} → ${event.to}  ${share}`
    }
    case 'updated': {
      const lease = event.lease === null ? 'no lease' : `lease …${event.lease.slice(-4)}`
      const what = event.problem === null ? `weight ${event.weight}, ${lease}` : text(event.problem)
      return `${palette.yellow('~ updated')} ${where(event)}  ${what}`
    }
    case 'gone': {
      const lease = event.lease === null ? '' : ` …${event.lease.slice(-4)}`
      const why = event.reason === 'lease ended' ? `lease${lease} ended` : event.reason
      return `${palette.red('- gone  ')} ${where(event)}  ${why}`
    }
  }
}
