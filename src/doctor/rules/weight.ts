import type { Endpoint } from '../../domain/endpoint.js'
import { findLayout } from '../../domain/layouts/index.js'
import { byKey, type ServiceFacts } from '../facts.js'
import { counted, type Rule, type RuleFinding } from '../finding.js'
import { commandOn, type Remedy, remedyBy, remedyOf } from '../remedy.js'
import { isDown } from './server.js'

export const ignoredWeight: Rule<ServiceFacts> = {
  code: 'D009',
  title: 'weight ignored',
  severity: 'warning',
  page: `Not all clients apply the weight in etcd. Some frameworks read weight 0 as their default weight, so an endpoint that was
drained by weight 0 keeps its traffic: deregister it instead. Others apply a new weight late, or only after a restart: this
is reported as info if a key was written since its registration.

disco clients apply every weight at once.`,
  find({ endpoints, weightsUnset }) {
    const usable = byKey(endpoints.filter(({ problem }) => problem === null))
    const drained = weightsUnset ? [] : usable.filter(({ weight }) => weight === 0)
    const undrained = drained.flatMap((endpoint): RuleFinding[] => {
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
      ([caveat, changed]): RuleFinding => ({
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
  page: `The endpoint is registered at weight 0 while others have a weight: it gets no calls. It may be in the middle of a drain, or
forgotten after one. etcd stores no times: compare the finding's revision with the latest revision to judge its age.

Put it back by disco drain SERVICE ADDR --undo, which takes the weight from etcd's history. If it was registered with weight
0, use disco weight SERVICE ADDR N. Or remove it: disco unregister SERVICE ADDR.`,
  find: (facts) =>
    byKey(facts.weightsUnset ? [] : facts.endpoints).flatMap((endpoint): RuleFinding[] =>
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

/** A key that was written only once has no earlier weight in etcd's history, so `--undo` cannot restore one. */
function undrainRemedy(endpoint: Endpoint, facts: ServiceFacts): Remedy {
  const { endpoints } = facts
  // An endpoint that is down must not get a weight: its calls would fail.
  const first = isDown(endpoint, facts) ? 'once its server serves; ' : ''
  return endpoint.createRevision === endpoint.modRevision
    ? remedyBy(
        commandOn(['weight'], endpoint, endpoints, '1'),
        `${first}or another weight, since it was registered with 0; or remove it, if it is forgotten`,
      )
    : remedyBy(
        commandOn(['drain'], endpoint, endpoints, '--undo'),
        `${first}or remove it, if it is forgotten`,
      )
}
