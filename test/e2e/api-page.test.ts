import { expect, test } from 'vitest'
import { apiPage } from '../../build/api-page.js'

const { page, missing } = apiPage()

test('docs/api.md is generated from the current declarations and docstrings (update: npm run docs)', async () => {
  await expect(page).toMatchFileSnapshot('../../docs/api.md')
})

test('an entry point exports every type that its exports mention', () => {
  // `Optional` is not exported: it only removes members of the type it is given.
  expect(missing).toEqual(['Optional'])
})

test('docs/api.md shows the docstrings of exports, and nothing private', () => {
  expect(page).toContain('A registration of the server in this process, held until it is closed')
  expect(page).toMatch(/setWeight\(weight: WeightForm/)
  for (const code of ['USAGE', 'CONFLICT', 'OUTCOME_UNKNOWN']) expect(page).toContain(`\`${code}\`: `)
  expect(page).not.toMatch(/private|@internal|isHeld/)
})
