import { describe, expect, it } from 'vitest'
import { renderPrometheus } from '../../../src/net/prometheus.js'

describe('the text format of Prometheus', () => {
  it('has HELP, TYPE and one line per sample', () => {
    const text = renderPrometheus([
      { name: 'a_total', help: 'How many.', type: 'counter', samples: [{ value: 3 }] },
      {
        name: 'b',
        help: 'Which.',
        type: 'gauge',
        samples: [
          { labels: { addr: '1.2.3.4:1', zone: 'x' }, value: 0.25 },
          { labels: { addr: '1.2.3.4:2', zone: '' }, value: 1 },
        ],
      },
    ])
    expect(text).toBe(
      [
        '# HELP a_total How many.',
        '# TYPE a_total counter',
        'a_total 3',
        '# HELP b Which.',
        '# TYPE b gauge',
        'b{addr="1.2.3.4:1",zone="x"} 0.25',
        'b{addr="1.2.3.4:2",zone=""} 1',
        '',
      ].join('\n'),
    )
  })

  it('escapes label values, and omits families without samples', () => {
    const text = renderPrometheus([
      { name: 'none', help: 'Nothing.', type: 'gauge', samples: [] },
      {
        name: 'a',
        help: 'back\\slash\nline',
        type: 'gauge',
        samples: [{ labels: { v: '"\\\n' }, value: 1 }],
      },
    ])
    expect(text).toBe('# HELP a back\\\\slash\\nline\n# TYPE a gauge\na{v="\\"\\\\\\n"} 1\n')
  })
})
