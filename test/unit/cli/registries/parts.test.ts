import { describe, expect, it } from 'vitest'
import type { OpenRegistries } from '../../../../src/cli/base-command.js'
import { requireExisting } from '../../../../src/cli/registries/parts.js'
import { DiscoError } from '../../../../src/domain/errors.js'

const away = new DiscoError('ETCD_UNREACHABLE', 'etcd is not reachable')
const lacks = (hint: string) => new DiscoError('NOT_FOUND', 'No service "helo"', { suggestions: [hint] })

function registries(...errors: DiscoError[]): OpenRegistries {
  return errors.map((error, at) => ({
    origin: { registry: `dc${at + 1}`, priority: at, weight: 1 },
    registry: { listExisting: () => Promise.reject(error) },
    members: [],
  })) as unknown as OpenRegistries
}

describe('an error about a service that none of several registries has', () => {
  it('reports that one registry was not read', async () => {
    await expect(requireExisting(registries(away, lacks('hello?')), 'helo')).rejects.toMatchObject({
      code: 'ETCD_UNREACHABLE',
      message: expect.stringContaining('dc1 is left out: etcd is not reachable'),
    })
  })

  it('has the suggestions of all registries', async () => {
    await expect(requireExisting(registries(lacks('hello?'), lacks('help?')), 'helo')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      suggestions: ['hello?', 'help?'],
    })
  })
})
