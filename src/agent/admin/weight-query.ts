import { parseWeight, type WeightChange } from '../../domain/weight.js'
import { Refusal } from '../../net/admin/request.js'

/**
 * Parses `?weight=`: only a plain number, so that the request is idempotent.
 *
 * @throws Refusal 400; DiscoError USAGE for an invalid weight
 */
export function weightQuery(query: URLSearchParams): {
  change: WeightChange
  addr: string | undefined
  force: boolean
} {
  for (const name of query.keys()) {
    if (!['weight', 'addr', 'force'].includes(name)) throw new Refusal(400, `Unknown parameter ${name}`)
    if (query.getAll(name).length > 1) throw new Refusal(400, `${name} is given more than once`)
  }
  const weight = query.get('weight')
  if (weight === null) throw new Refusal(400, 'weight is missing: ?weight=5')
  const force = query.get('force') ?? 'false'
  if (force !== 'true' && force !== 'false') throw new Refusal(400, 'force is true or false')
  const change = { kind: 'set', weight: parseWeight(weight) } as const
  return { change, addr: query.get('addr') ?? undefined, force: force === 'true' }
}
