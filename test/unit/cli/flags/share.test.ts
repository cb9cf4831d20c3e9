import { describe, expect, it } from 'vitest'
import { readPart, readSelection } from '../../../../src/cli/flags/share.js'

describe('the selection of a shift', () => {
  it.each([
    '/hello/1.0.0/10.0.0.1:1001',
    'kitex/registry-etcd/hello/10.0.0.1:1001',
    'hello/10.0.0.1:1001',
    'team/instance-7',
  ])('%s is a key', async (key) => {
    expect(await readSelection(key)).toEqual({
      selection: key,
      filter: { select: [], addrs: [key], host: null },
    })
    expect(await readPart(`${key}=5%`)).toMatchObject({ filter: { addrs: [key] }, sharePpm: 50_000 })
  })

  it.each(['path=/a/b', 'path!=/a/b', 'app.io/name=a', 'path in (/a,/b)', 'path notin (/a,/b)'])(
    '%s is a condition',
    async (selection) => {
      const { filter } = await readSelection(selection)
      expect(filter).toMatchObject({ addrs: [], select: [{}] })
    },
  )

  it('may be an address', async () => {
    expect(await readSelection('10.0.0.1:1001')).toMatchObject({ filter: { addrs: ['10.0.0.1:1001'] } })
  })
})
