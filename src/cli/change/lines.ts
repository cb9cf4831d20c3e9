import type { DrainResult } from '../../agent/drain.js'
import { ALL_ENDPOINTS, formatFilter, isUnfiltered } from '../../domain/endpoint-filter.js'
import type { DiscoError } from '../../domain/errors.js'
import { shownKey } from '../../domain/key-text.js'
import type { EndpointSelection } from '../../registry/selection.js'
import type { Palette } from '../terminal/color.js'
import { percent } from '../terminal/units.js'
import { shellWord, visible } from '../terminal/visible.js'
import type { Choice } from './choice.js'
import type { WeightDoc } from './document.js'

/** The line about a drain that has ended. */
export function drainedLine(selection: EndpointSelection, drained: DrainResult, palette: Palette): string {
  const { service } = selection
  const addrs = drained.endpoints.map(({ endpoint }) => endpoint.addr)
  const name = `${visible(service)} ${visible(addrs.join(', '))}`
  const rev = `(rev ${drained.revision})`
  if (drained.end === 'gone') return `${palette.yellow('!')} ${name} was removed by another client ${rev}`
  if (drained.end === 'unregistered') return `${palette.green('✓')} ${name} unregistered ${rev}`
  const { addr, version, filter = ALL_ENDPOINTS } = selection
  const isByAddress = addr !== null && version === undefined && isUnfiltered(filter)
  const keys = new Set(drained.endpoints.map(({ endpoint }) => shownKey(endpoint.key)))
  const words = [service, ...(isByAddress ? [addr] : keys)].map((word) => shellWord(visible(word)))
  const undo = `disco drain ${words.join(' ')} --undo`
  const remains = addrs.length > 1 ? 'are still registered' : 'is still registered'
  return `${palette.yellow('!')} stopped: ${name} ${remains}, at weight 0\n  Undo: ${undo}`
}

/** The lines about the weights that an undo has restored. */
export function undoneLines(
  { service, rev, changes, leftOut, dryRun }: WeightDoc,
  choice: Choice | undefined,
  palette: Palette,
): string {
  const left = leftOut.map(
    ({ addr, text }) =>
      `${palette.yellow('!')} ${visible(service)} ${visible(addr)} stays drained: ${visible(text)}`,
  )
  if (changes.length + left.length === 0) {
    const { addr = null, filter = ALL_ENDPOINTS } = choice?.selection ?? {}
    const which = visible(addr ?? formatFilter(filter))
    return `${palette.yellow('!')} ${visible(service)} ${which} is not drained (rev ${rev})`
  }
  const lines = changes.map(({ addr, to, share }) => {
    if (dryRun) return `${visible(service)} ${visible(addr)} would be restored: weight 0 → ${to}`
    const now = `weight 0 → ${to} (rev ${rev}), share ${percent(share.to)}`
    return `${palette.green('✓')} ${visible(service)} ${visible(addr)} ${now}`
  })
  return [...lines, ...left].join('\n')
}

/** The remark after a removal if etcd could not be asked whether the key returned. */
export function returnUnknownLine({ message }: DiscoError, palette: Palette): string {
  return `${palette.yellow('!')} whether a registrar puts it back is not known: ${visible(message)}`
}
