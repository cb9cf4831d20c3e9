import { expect, it } from 'vitest'
import { uncolored } from '../../../src/cli/terminal/color.js'
import { XdsView } from '../../../src/cli/xds/view.js'
import type { ClientStream } from '../../../src/xds/client-stream.js'

const STREAM = { identity: null, peer: '127.0.0.1:1' } as unknown as ClientStream

it('cuts long unknown names, and prints new ones however many came before', () => {
  const lines: string[] = []
  const view = new XdsView(uncolored, (line) => lines.push(line))
  view.subscribedUnknown(STREAM, ['x'.repeat(500_000)], ['hello'])
  expect(lines.join('').length).toBeLessThan(1_000)
  for (let at = 0; at < 2_000; at++) view.subscribedUnknown(STREAM, [`name-${at}`], ['hello'])
  lines.length = 0
  view.subscribedUnknown(STREAM, ['helo'], ['hello'])
  view.subscribedUnknown(STREAM, ['helo'], ['hello'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('asks for "helo"')
})
