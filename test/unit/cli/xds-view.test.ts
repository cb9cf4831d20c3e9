import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { uncolored } from '../../../src/cli/terminal/color.js'
import { XdsView } from '../../../src/cli/xds/view.js'
import type { ClientStream } from '../../../src/xds/client-stream.js'

const STREAM = { identity: null, peer: '127.0.0.1:1' } as unknown as ClientStream

let lines: string[]
let view: XdsView
beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  view = new XdsView(uncolored, (line) => lines.push(line))
})
afterEach(() => {
  vi.useRealTimers()
})

it('truncates long unknown names, and prints new names however many came before', () => {
  view.subscribedUnknown(STREAM, ['x'.repeat(500_000)], ['hello'])
  expect(lines.join('').length).toBeLessThan(1_000)
  for (let at = 0; at < 2_000; at++) {
    view.subscribedUnknown(STREAM, [`name-${at}`], ['hello'])
    vi.advanceTimersByTime(1_000)
  }
  expect(lines).toHaveLength(2_001)
  lines.length = 0
  view.subscribedUnknown(STREAM, ['helo'], ['hello'])
  view.subscribedUnknown(STREAM, ['helo'], ['hello'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('asks for "helo"')
})

it('names the nearest service of each unknown name in one request', () => {
  view.subscribedUnknown(STREAM, ['helo', 'cart'], ['hello', 'carts'].values())
  expect(lines).toEqual([
    expect.stringMatching(/asks for "helo".*Did you mean hello\?$/),
    expect.stringMatching(/asks for "cart".*Did you mean carts\?$/),
  ])
})

it('prints at most 50 client-caused lines in 10 s, then how many were left out', () => {
  for (let at = 0; at < 1_000; at++) {
    view.subscribedUnknown(STREAM, [`unknown-${at}`], [])
    view.answered(STREAM, { type: 'EDS', version: String(at), rejection: `no ${at}` })
    view.closed(STREAM, 'too many names')
  }
  expect(lines).toHaveLength(50)
  view.problem('the log cannot be written')
  expect(lines).toHaveLength(51)
  vi.advanceTimersByTime(10_000)
  expect(lines.slice(51)).toEqual(['! 2950 more lines about clients within 10s: left out'])
  vi.advanceTimersByTime(100_000)
  view.subscribedUnknown(STREAM, ['unknown-900'], [])
  expect(lines).toHaveLength(53)
  expect(vi.getTimerCount()).toBe(1)
})
