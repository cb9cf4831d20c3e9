import { expect, it } from 'vitest'
import { type Step, stepArea, stepLine } from '../../../../src/cli/call-report/charts/steps.js'

const steps = (...values: (number | null)[]): Step[] =>
  values.map((value, at) => ({ fromMs: at, toMs: at + 1, value }))
const same = (value: number) => value

it('a line has a level for each interval, joins equal levels, and is interrupted at intervals without a value', () => {
  expect(stepLine(steps(5, 5, 7, null, 3), same, same).text).toBe('M0 5H2V7H3M4 3H5')
  expect(stepLine(steps(null, null), same, same).text).toBe('')
  expect(stepLine(steps(), same, same).text).toBe('')
})

it('an area follows its upper edge forwards and its lower edge backwards', () => {
  const area = stepArea(steps(0, 1, 0, 0), steps(5, 7, null, 4), same, same)
  expect(area.text).toBe('M0 5H1V7H2L2 1H1V0H0ZM3 4H4L4 0H3Z')
})
