import { expect, it } from 'vitest'
import { ProxyView } from '../../../../src/cli/proxy/view.js'
import { uncolored } from '../../../../src/cli/terminal/color.js'
import { DiscoError } from '../../../../src/domain/errors.js'

it.each([
  [0, 'there is no list yet'],
  [41, 'using the last list'],
])('while etcd is away after revision %i, the line ends with: %s', (revision, used) => {
  const lines: string[] = []
  const observer = new ProxyView(uncolored, (line) => lines.push(line)).observer('etcd:///hello')
  const stale = new DiscoError('ETCD_UNREACHABLE', 'etcd is away')
  const now = { revision, registered: [], selected: [], stale, cachedAgeMs: null, isNew: false }
  observer.resolved?.(now)
  expect(lines).toEqual([`! etcd:///hello: etcd is away; ${used}`])
})
