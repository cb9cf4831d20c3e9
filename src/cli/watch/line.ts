import { DEFAULT_LAYOUT } from '../../domain/layouts/index.js'
import type { Palette } from '../terminal/color.js'
import { count, percent } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import type { EventDoc } from './document.js'

/** One line of the log: time, revision, what happened, to whom, and what that means for its share. */
export function renderEvent(event: EventDoc, at: Date, palette: Palette): string {
  const time = palette.dim(at.toTimeString().slice(0, 8))
  const rev = palette.dim(('rev' in event ? `rev ${event.rev}` : '--------').padEnd(9))
  return `${time}  ${rev} ${line(event, palette)}`.trimEnd()
}

function line(event: EventDoc, palette: Palette): string {
  switch (event.type) {
    case 'synced': {
      const weight = event.weightsUnset ? 'weights unset' : `weight ${event.weight}`
      return `synced   ${count(event.endpoints, 'endpoint')}, ${weight}`
    }
    case 'stale':
      return palette.red(`! STALE: the last list stands; etcd lost: ${visible(event.cause)}`)
    case 'resync': {
      if (event.missedRevisions === null) return 'resync   etcd is back; what it changed meanwhile follows'
      return `resync   missed ${count(event.missedRevisions, 'revision')}, ${count(event.changes, 'change')} applied`
    }
    case 'added': {
      const version = event.version === '' ? '' : `v${event.version} `
      const what = event.problem === null ? `${version}weight ${event.weight}` : event.problem
      const layout = event.layout === DEFAULT_LAYOUT.name ? '' : `  (${event.layout})`
      return `${palette.green('+ added ')} ${where(event)}  ${visible(what)}  share ${percent(event.share)}${layout}`
    }
    case 'weight': {
      const share = `share ${percent(event.share.from)} → ${percent(event.share.to)}`
      return `${palette.yellow('~ weight')} ${where(event)}  ${event.from} → ${event.to}  ${share}`
    }
    case 'updated': {
      const lease = event.lease === null ? 'no lease' : `lease …${event.lease.slice(-4)}`
      const what = event.problem === null ? `weight ${event.weight}, ${lease}` : event.problem
      return `${palette.yellow('~ updated')} ${where(event)}  ${visible(what)}`
    }
    case 'gone': {
      const lease = event.lease === null ? '' : ` …${event.lease.slice(-4)}`
      const why = event.reason === 'lease ended' ? `lease${lease} ended` : event.reason
      return `${palette.red('- gone  ')} ${where(event)}  ${why}`
    }
  }
}

function where({ service, addr }: { service: string; addr: string }): string {
  return `${visible(service)} ${visible(addr)}`
}
