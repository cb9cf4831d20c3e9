/** 0.0714 as `7.1%`; a small part does not become 0. */
export function percent(fraction: number): string {
  const rounded = (fraction * 100).toFixed(1)
  return fraction > 0 && rounded === '0.0' ? 'under 0.1%' : `${rounded}%`
}

/** `1 key`, `2 keys`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Maximum number of names in a clause. */
const MAX_NAMES = 3

/** `a, b, c, …`. */
export function listed(names: readonly string[]): string {
  return [...names.slice(0, MAX_NAMES), ...(names.length > MAX_NAMES ? ['…'] : [])].join(', ')
}
