/**
 * One key (`end` undefined), every key from `key` on (`end` empty), or `[key, end)`. An `end` that is not
 * above `key` holds nothing. Keys are latin1 text, so that `<` orders them by their bytes.
 */
export interface KeyRange {
  readonly key: string
  readonly end: string | undefined
}

/**
 * How a range_end becomes a range. `asSent` keeps an explicit empty range_end, which then means "every key
 * from key on"; `asLogged` loses it, as every write of etcd's does on its way through the raft log, which
 * leaves empty fields out.
 */
export type RangeRule = (key: string, rangeEnd: string | undefined) => KeyRange

export const asSent: RangeRule = (key, rangeEnd) => ({ key, end: rangeEnd === '\0' ? '' : rangeEnd })

export const asLogged: RangeRule = (key, rangeEnd) => asSent(key, rangeEnd === '' ? undefined : rangeEnd)

export function contains(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key
  return key >= range.key && (range.end === '' || key < range.end)
}
