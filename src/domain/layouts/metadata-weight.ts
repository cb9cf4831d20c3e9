import { Problem } from './layout.js'

type TextMap = Readonly<Record<string, string>>

/** How a framework's own clients read a weight that is stored as text. */
interface Rule {
  /** Their default, if the weight is missing or its text is not a decimal integer. */
  readonly missing: number
  /** Whether they use the default for a negative weight too. */
  readonly negativeIsMissing?: boolean
}

/**
 * Reads a weight that is stored as text, as the framework's own clients do.
 *
 * All frameworks parse the text by Go's strconv (ParseInt with base 10, or Atoi) and use their default if that fails.
 * So `10.5`, the empty text and `heavy` mean the default: Kratos' selector/default_node.go, rpcx'
 * client/selector.go, grpclb2etcd's balancer/rr_weight.go, dubbo-go's URL parameters.
 *
 * @throws Problem for a weight above 2^53, and for a negative weight that the framework's clients would use as it is
 */
export function weightOf({ weight: text }: TextMap, { missing, negativeIsMissing }: Rule): number {
  if (text === undefined || !DECIMAL.test(text)) return missing
  const weight = Number(text)
  if (negativeIsMissing && weight < 0) return missing
  if (Number.isSafeInteger(weight) && weight >= 0) return weight
  throw new Problem(`weight ${JSON.stringify(text)} is not an integer from 0 to 2^53`)
}

/** The metadata with the weight; unchanged if the framework's own clients read this weight from it already. */
export function withWeightOf(metadata: TextMap, weight: number, rule: Rule): TextMap {
  return weightOf(metadata, rule) === weight ? metadata : { ...metadata, weight: String(weight) }
}

/**
 * The `extra` of an endpoint whose map `name` is empty; undefined for any other map. Go writes an empty map as `{}` and
 * a nil map as null, and the value must be written back unchanged.
 */
export function emptyMap(
  name: string,
  stored: TextMap | null,
): Readonly<Record<string, unknown>> | undefined {
  return stored !== null && Object.keys(stored).length === 0 ? { [name]: {} } : undefined
}

const DECIMAL = /^[+-]?\d+$/
