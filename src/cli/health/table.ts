import { markInLog, markNames } from '../../domain/look-alike.js'
import type { Palette } from '../terminal/color.js'
import { type Column, renderTable } from '../terminal/table.js'
import { duration } from '../terminal/units.js'
import { visible } from '../terminal/visible.js'
import { type HealthDoc, type HealthEndpointDoc, type HealthEventDoc, healthText } from './document.js'

interface Looks {
  readonly wide?: boolean
  /** Whether to show the column SERVICE, as for several services. */
  readonly withService?: boolean
}

type Row = HealthEndpointDoc & { readonly service: string }

/** One line for each endpoint: its health, the status or problem, and the latency of the answer. */
export function renderHealth(
  docs: readonly HealthDoc[],
  palette: Palette,
  { wide = false, withService = false }: Looks = {},
): string {
  const rows = docs.flatMap(({ service, endpoints }) =>
    endpoints.map((endpoint) => ({ service, ...endpoint })),
  )
  const columns: Column<Row>[] = [
    {
      head: '',
      text: ({ healthy }) => (healthy ? '●' : '✗'),
      paint: ({ healthy }, text) => (healthy ? palette.green(text) : palette.red(text)),
    },
    ...(withService ? [{ head: 'SERVICE', text: ({ service }: Row) => service }] : []),
    { head: 'ADDRESS', text: ({ addr }) => addr },
    { head: 'VERSION', text: ({ version }) => version, dropOrder: 3 },
    { head: 'WEIGHT', align: 'right', text: ({ weight }) => String(weight), dropOrder: 2 },
    {
      head: 'HEALTH',
      wraps: true,
      text: healthText,
      paint: ({ healthy }, text) => (healthy ? text : palette.red(text)),
    },
    { head: 'TOOK', align: 'right', text: ({ latencyMs }) => duration(latencyMs), dropOrder: 1 },
    ...(wide ? [{ head: 'KEY', text: ({ key }: Row) => key }] : []),
    {
      head: 'NOTE',
      wraps: true,
      text: ({ status }) => (status === 'UNIMPLEMENTED' ? 'has no grpc.health.v1' : ''),
    },
  ]
  const legend = palette.isTerminal ? `\n${palette.dim('● healthy  ✗ not healthy')}` : ''
  return renderTable(rows, columns, palette) + legend
}

/** Renders the events of `health --watch`. */
export class HealthLog {
  private readonly mark = markInLog()

  constructor(private readonly palette: Palette) {}

  /** One line: time, change, endpoint, and its health. */
  line(event: HealthEventDoc, at: Date): string {
    const { palette } = this
    const time = palette.dim(at.toTimeString().slice(0, 8))
    const where = visible(`${this.mark(event.service)} ${this.mark(event.addr)}`)
    if (event.type === 'gone') return `${time}  ${palette.yellow('- gone     ')}  ${where}`
    const words = visible(markNames(healthText(event), this.mark))
    if (event.type === 'healthy') return `${time}  ${palette.green('● healthy  ')}  ${where}  ${words}`
    return `${time}  ${palette.red('✗ unhealthy')}  ${where}  ${words}`
  }
}
