import type { ChangeDoc } from './document.js'

const MINUTE_MS = 60_000

/**
 * The time of a change in local time: `11:02–11:07`, `after 11:07`, `before 11:02`, or `unknown` without any bound. The
 * bounds are rounded outwards to the minute. A day other than today is shown with its date.
 */
export function timeText({ time }: Pick<ChangeDoc, 'time'>, now: Date): string {
  const after = time.after === null ? null : new Date(time.after)
  const before = time.before === null ? null : roundedUp(new Date(time.before))
  if (after && before) {
    const isSameDay = dayOf(after) === dayOf(before)
    return `${dated(after, now)}–${isSameDay ? clock(before) : dated(before, now)}`
  }
  if (after) return `after ${dated(after, now)}`
  return before ? `before ${dated(before, now)}` : 'unknown'
}

function roundedUp(date: Date): Date {
  return new Date(Math.ceil(date.getTime() / MINUTE_MS) * MINUTE_MS)
}

function dated(date: Date, now: Date): string {
  return dayOf(date) === dayOf(now) ? clock(date) : `${dayOf(date)} ${clock(date)}`
}

function dayOf(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
}

function clock(date: Date): string {
  return [date.getHours(), date.getMinutes()].map(twoDigits).join(':')
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
