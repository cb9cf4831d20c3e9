import { Problem } from './layout.js'

type Map = Readonly<Record<string, string>>

/** How a framework's own reader interprets a weight that is text. */
interface Rule {
  /** The weight it takes for a missing one, or for a text that is not a decimal integer. */
  readonly missing: number
  /** Whether it takes a negative weight for a missing one. */
  readonly negativeIsMissing?: boolean
}

/**
 * A weight that is stored as text, as the framework's own reader takes it.
 *
 * All of them parse it by Go's strconv (ParseInt with base 10, or Atoi) and keep their default where that fails, so
 * `10.5`, the empty text and `heavy` all mean the default: Kratos' selector/default_node.go, rpcx'
 * client/selector.go, grpclb2etcd's balancer/rr_weight.go, dubbo-go's URL parameters.
 *
 * @throws Problem for a negative weight, which those readers would compute with, and for one above 2^53
 */
export function weightOf({ weight: text }: Map, { missing, negativeIsMissing }: Rule): number {
  if (text === undefined || !DECIMAL.test(text)) return missing
  const weight = Number(text)
  if (negativeIsMissing && weight < 0) return missing
  if (Number.isSafeInteger(weight) && weight >= 0) return weight
  throw new Problem(`weight ${JSON.stringify(text)} is not an integer from 0 to 2^53`)
}

/** The metadata with that weight: unchanged if the framework's own reader gets that weight already. */
export function withWeightOf(metadata: Map, weight: number, rule: Rule): Map {
  return weightOf(metadata, rule) === weight ? metadata : { ...metadata, weight: String(weight) }
}

/** Go distinguishes a nil map (null) from an empty one: the empty one is kept. */
export function emptyMap(name: string, stored: Map | null): Readonly<Record<string, unknown>> | undefined {
  return stored !== null && Object.keys(stored).length === 0 ? { [name]: {} } : undefined
}

const DECIMAL = /^[+-]?\d+$/
