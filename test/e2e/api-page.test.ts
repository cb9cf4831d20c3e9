import { expect, test } from 'vitest'
import { apiPage } from '../../build/api-page.js'

const { page, missing } = apiPage()

test('docs/api.md is what the declarations and docstrings say: npm run docs writes it again', async () => {
  await expect(page).toMatchFileSnapshot('../../docs/api.md')
})

test('an entry point exports every type that its exports mention', () => {
  // `Optional` only removes members of what it is given.
  expect(missing).toEqual(['Optional'])
})

test('the words of an export come with it, and nothing that is private', () => {
  expect(page).toContain('A registration of the server in this process, held until it is closed')
  expect(page).toMatch(/setWeight\(weight: WeightForm/)
  for (const code of ['USAGE', 'CONFLICT', 'OUTCOME_UNKNOWN']) expect(page).toContain(`\`${code}\`: `)
  expect(page).not.toMatch(/private|@internal|isHeld/)
})
