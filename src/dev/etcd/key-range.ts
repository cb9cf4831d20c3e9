/**
 * One key (`end` undefined), every key from `key` on (`end` empty), or `[key, end)`. A range with an `end` at or
 * below `key` is empty. Keys are latin1 text, so that `<` orders them by their bytes.
 */
export interface KeyRange {
  readonly key: string
  readonly end: string | undefined
}

/**
 * Converts a range_end to a range. `asSent` keeps an explicit empty range_end, which then means "every key from key
 * on"; `asLogged` loses it, as etcd's writes do on their way through the raft log, which omits empty fields.
 */
export type RangeRule = (key: string, rangeEnd: string | undefined) => KeyRange

export const asSent: RangeRule = (key, rangeEnd) => ({ key, end: rangeEnd === '\0' ? '' : rangeEnd })

export const asLogged: RangeRule = (key, rangeEnd) => asSent(key, rangeEnd === '' ? undefined : rangeEnd)

export function contains(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key
  return key >= range.key && (range.end === '' || key < range.end)
}
