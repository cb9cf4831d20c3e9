import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from '@oclif/core'
import { describe, expect, it } from 'vitest'

const FOLDER = fileURLToPath(new URL('../../../src/commands/', import.meta.url))
const names = readdirSync(FOLDER).map((file) => file.replace(/\.ts$/, ''))

describe.each(names)('the help of %s', async (name) => {
  const { default: command } = (await import(`${FOLDER}${name}.ts`)) as { default: typeof Command }
  const flags = { ...command.baseFlags, ...command.flags }

  it('has a summary and a description of one paragraph, because help shows only the last paragraph', () => {
    expect(command.summary).toMatch(/^[A-Z][^\n]*[^.\n]$/)
    expect(command.description).toMatch(/^[A-Z][^\n]*\.$/)
  })

  it('describes every argument and flag', () => {
    for (const [what, { description }] of Object.entries({ ...command.args, ...flags })) {
      expect(description, what).toBeTruthy()
    }
  })

  it('has examples of the command, with flags that the command has', () => {
    expect(command.examples.length).toBeGreaterThan(1)
    for (const example of command.examples as string[]) {
      expect(example).toMatch(new RegExp(`^([^|]+\\| )?<%= config.bin %> ${name}( |$)`))
      const [own = ''] = example.split(' -- ')
      for (const [, flag = ''] of own.matchAll(/ --([a-z-]+)/g)) expect(Object.keys(flags)).toContain(flag)
    }
  })
})
