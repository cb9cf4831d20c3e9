import { writeFileSync } from 'node:fs'
import { shownBy } from './frames.js'
import { recordSession } from './session.js'
import { toSvg } from './svg.js'

const [file = 'docs/recording.svg'] = process.argv.slice(2)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())

const { panes, endMs, commands } = await recordSession(stop.signal)
const films = await Promise.all(
  panes.map(async (pane) => ({ columns: pane.columns, rows: pane.rows, shown: await shownBy(pane, endMs) })),
)
const svg = toSvg(films, endMs, commands)
writeFileSync(file, svg)
console.log(`${file}: ${(endMs / 1000).toFixed(0)} s, ${(svg.length / 1000).toFixed(0)} kB`)
