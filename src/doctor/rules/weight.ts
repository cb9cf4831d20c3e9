import type { Endpoint } from '../../domain/endpoint.js'
import { findLayout } from '../../domain/layouts/index.js'
import { byKey, type ServiceFacts } from '../facts.js'
import { counted, type Found, type Rule } from '../finding.js'
import { commandOn, type Remedy, remedyBy, remedyOf } from '../mend.js'
import { isDown } from './server.js'

export const ignoredWeight: Rule<ServiceFacts> = {
  code: 'D009',
  title: 'weight ignored',
  severity: 'warning',
  page: `The weight in etcd is not what all clients go by. Some frameworks read weight 0 as their default, so an endpoint that was
drained by weight 0 keeps its traffic: deregister it instead. Others apply a new weight late, or not before they start
again (a note, where weights were changed since the registration).

disco clients apply every weight at once.`,
  find({ endpoints, weightsUnset }) {
    const usable = byKey(endpoints.filter(({ problem }) => problem === null))
    const drained = weightsUnset ? [] : usable.filter(({ weight }) => weight === 0)
    const undrained = drained.flatMap((endpoint): Found[] => {
      const hint = findLayout(endpoint.layout)?.hint(endpoint)
      if (hint?.code !== 'zero-is-default') return []
      return [
        {
          endpoint,
          since: endpoint.modRevision,
          text: hint.text,
          cost: 'it may still get traffic',
          remedy: remedyBy(commandOn(['unregister'], endpoint, endpoints), 'to end its traffic'),
        },
      ]
    })
    const caveats = new Map<string, number>()
    for (const { layout, modRevision, createRevision } of usable) {
      const caveat = findLayout(layout)?.weightCaveat ?? null
      if (caveat === null || modRevision === createRevision) continue
      caveats.set(caveat, (caveats.get(caveat) ?? 0) + 1)
    }
    const late = [...caveats].map(
      ([caveat, changed]): Found => ({
        severity: 'info',
        text: `${caveat} (${counted(changed, 'key')} written since registration)`,
        remedy: remedyOf(null),
      }),
    )
    return [...undrained, ...late]
  },
}

export const drained: Rule<ServiceFacts> = {
  code: 'D010',
  title: 'drained',
  severity: 'warning',
  page: `The endpoint is registered at weight 0 while others have a weight: it gets no calls. etcd stores no times, so whether this is
a drain under way or a forgotten one only its revision tells: compare it with the latest.

Put it back by disco drain SERVICE ADDR --undo, which takes the weight from etcd's history, or by disco weight SERVICE ADDR N
where it was registered with weight 0; or remove it: disco unregister SERVICE ADDR.`,
  find: (facts) =>
    byKey(facts.weightsUnset ? [] : facts.endpoints).flatMap((endpoint): Found[] =>
      endpoint.problem === null && endpoint.weight === 0 && findLayout(endpoint.layout)?.weightless === null
        ? [
            {
              endpoint,
              since: endpoint.modRevision,
              text: 'weight 0',
              cost: 'it gets no traffic',
              share: 0,
              remedy: undrainRemedy(endpoint, facts),
            },
          ]
        : [],
    ),
}

/** A key that was written once has no weight in etcd's history. */
function undrainRemedy(endpoint: Endpoint, facts: ServiceFacts): Remedy {
  const { endpoints } = facts
  // With a weight, an endpoint that is down would get calls that fail.
  const first = isDown(endpoint, facts) ? 'once its server serves; ' : ''
  return endpoint.createRevision === endpoint.modRevision
    ? remedyBy(
        commandOn(['weight'], endpoint, endpoints, '1'),
        `${first}or another weight: it was registered with 0; or remove it, if it is forgotten`,
      )
    : remedyBy(
        commandOn(['drain'], endpoint, endpoints, '--undo'),
        `${first}or remove it, if it is forgotten`,
      )
}
