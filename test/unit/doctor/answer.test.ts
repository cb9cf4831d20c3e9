import { describe, expect, it } from 'vitest'
import { answerFor } from '../../../src/doctor/answer.js'
import { checked, facts } from '../../support/doctor-facts.js'
import { endpoint, NOT_JSON } from '../../support/endpoints.js'

const ADDR = '10.0.0.1:1'
const other = endpoint({ addr: '10.0.0.2:1', weight: 3 })

function answer(fields: Parameters<typeof endpoint>[0], health = {}, program?: string) {
  const one = endpoint({ addr: ADDR, ...fields })
  const { traffic, share, text } = answerFor(one, facts([one, other], { health }), program)
  return { traffic, share, text }
}

describe('the reason why an endpoint gets no traffic', () => {
  it.each([
    [{ problem: NOT_JSON }, {}, 'clients skip it: value is not JSON (rev 1)'],
    [{ weight: 0, modRevision: 9 }, { [ADDR]: checked(null) }, 'its weight is 0 since rev 9: it is drained'],
    [
      {},
      { [ADDR]: checked('refused', 'connection refused') },
      'no connection to its server: connection refused',
    ],
    [{}, { [ADDR]: checked('speaks-tls', 'speaks TLS (try --tls)') }, 'speaks TLS'],
    [{}, { [ADDR]: checked('no-answer', 'no answer in 2000 ms') }, 'its server does not answer'],
    [{}, { [ADDR]: checked('not-serving', 'NOT_SERVING') }, 'clients that check health skip it'],
  ])('%j %j: none', (fields, health, text) => {
    expect(answer(fields, health)).toEqual({
      traffic: 'none',
      share: 0,
      text: expect.stringContaining(text) as string,
    })
  })

  it('reports that an endpoint gets traffic, with its share, and how rarely if the share is small', () => {
    const { traffic, share, text } = answer({}, { [ADDR]: checked(null) })
    expect({ traffic, share }).toEqual({ traffic: 'some', share: 0.25 })
    expect(text).toBe('it does get traffic: it is registered and SERVING, weight 1, 25.0% of the calls')
    const rare = endpoint({ addr: ADDR, weight: 1 })
    const all = facts([rare, { ...other, weight: 499 }], { health: { [ADDR]: checked(null) } })
    expect(answerFor(rare, all).text).toContain('0.2% of the calls, one in 500')
  })

  it.each([
    [{}, {}],
    [{}, { [ADDR]: checked('denied') }],
    [{}, { [ADDR]: checked('local') }],
    [{ weight: 0, layout: 'kitex' }, { [ADDR]: checked(null) }],
  ])('%j %j: the answer is uncertain if a deciding fact was not checked', (fields, health) => {
    expect(answer(fields, health).traffic).toBe('unknown')
  })

  it('names the target that a program needs to see the endpoint', () => {
    const text = 'a program sees it only by etcd:///hello?layout=kratos'
    expect(answer({ layout: 'kratos' }, { [ADDR]: checked(null) }).text).toContain(text)
    expect(answer({ layout: 'kratos' }, { [ADDR]: checked(null) }, 'kratos').text).not.toContain(text)
  })
})
