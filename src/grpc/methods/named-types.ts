import { type ExactJson, isArray, isObject } from './json-numbers.js'
import type { ReflectionQuestion } from './reflection-protocol.js'
import type { Types } from './types.js'

/** Questions for unknown types of Anys and unknown extensions that JSON names. */
export function namedTypes(json: ExactJson, types: Types): readonly ReflectionQuestion[] {
  const names = new Set<string>()
  const pending: ExactJson[] = [json]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (isArray(next)) pending.push(...next)
    else if (isObject(next)) {
      for (const [name, member] of Object.entries(next)) {
        const named = nameIn(name, member)
        if (named !== undefined && types.get(named) === undefined) names.add(named)
        pending.push(member)
      }
    }
  }
  return [...names].map((fileContainingSymbol) => ({ fileContainingSymbol }))
}

function nameIn(name: string, member: ExactJson): string | undefined {
  if (name === '@type')
    return typeof member === 'string' ? member.slice(member.lastIndexOf('/') + 1) : undefined
  return /^\[([\w.]+)\]$/.exec(name)?.[1]
}
