import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { registration } from '../support/etcd-state.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

describe('-o', () => {
  test('yaml prints the document of json; a stream has one document per event', async () => {
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1001', { version: '1.10', weight: 3 }))
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1002', { metadata: { 'no: \u202e': 'on' } }))
    for (const words of [
      ['ls'],
      ['ls', 'hello'],
      ['ls', '--host', '127.0.0.1'],
      ['resolve', 'hello'],
      ['version'],
    ]) {
      const [json, yaml] = [await tool.run(...words, '-o', 'json'), await tool.run(...words, '-o', 'yaml')]
      expect(yaml).toMatchObject({ code: 0, stderr: json.stderr })
      expect(yaml.stdout).not.toContain('\u202e')
      expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout))
    }
    const watch = disco.start('watch', 'hello', '--count', '1', '-o', 'yaml')
    await watch.printed('synced')
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1003'))
    const { stdout, code } = await watch.exited()
    expect(code).toBe(0)
    const events = parseAllDocuments(stdout).map((document) => document.toJS() as { type: string })
    expect(events.map(({ type }) => type)).toEqual(['synced', 'added'])
  })

  test('template prints a line per element, and refuses a field that no element has', async () => {
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1001', { version: '1.0.0', weight: 3 }))
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1002', { version: '2.0.0' }))
    expect(await tool.run('ls', 'hello', '-o', 'template={{addr}} {{weight}}')).toEqual({
      code: 0,
      stderr: '',
      stdout: '127.0.0.1:1001 3\n127.0.0.1:1002 1\n',
    })
    expect((await tool.run('ls', '-o', 'template={{service}}={{endpoints}}')).stdout).toBe('hello=2\n')
    const unknown = await tool.run('ls', 'hello', '-o', 'template={{adr}}')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toMatch(
      /has an unknown field: \{\{adr\}\}\n {2}Did you mean addr\?\n {2}Available: schema, /,
    )
    const invalid = await tool.run('ls', 'hello', '-o', 'template={{addr')
    expect(invalid).toMatchObject({ code: 2, stdout: '' })
    expect((await tool.run('ls', '-o', 'yml')).stderr).toContain('Did you mean yaml?')
  })
})

describe('disco ls', () => {
  const lines = async (...words: string[]) => (await tool.run('ls', ...words)).stdout.trimEnd().split('\n')

  async function register(): Promise<void> {
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1000', { version: '1.0.0', weight: 3 }))
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:900', { version: '1.0.0', weight: 20 }))
    await etcd.ctl('put', ...registration('payments', '127.0.0.1:80', { weight: 5 }))
  }

  test('--sort orders every format; --columns and --no-headers change the table', async () => {
    await register()
    const chosen = ['--columns', 'address,weight,key', '--no-headers']
    expect(await lines('hello', ...chosen)).toEqual([
      '127.0.0.1:900       20  /hello/1.0.0/127.0.0.1:900',
      '127.0.0.1:1000       3  /hello/1.0.0/127.0.0.1:1000',
    ])
    const byWeight = ['127.0.0.1:1000', '127.0.0.1:900']
    expect(await lines('hello', '--sort', 'weight', '-o', 'name')).toEqual(byWeight)
    expect(await lines('hello', '--sort', 'weight:desc', '-o', 'name')).toEqual(byWeight.toReversed())
    expect(await lines('hello', '--sort', 'weight', '-o', 'template={{addr}}')).toEqual(byWeight)
    expect(await lines('hello', '--sort', 'weight', '--columns', 'address')).toEqual(['ADDRESS', ...byWeight])
    expect(await lines('--sort', 'weight', '--columns', 'service,weight', '--no-headers')).toEqual([
      'payments       5',
      'hello         23',
    ])
    const selected = [
      '--host',
      '127.0.0.1',
      '--sort',
      'weight:desc',
      '--columns',
      'service,address',
      '--no-headers',
    ]
    expect(await lines(...selected)).toEqual([
      'hello     127.0.0.1:900',
      'payments  127.0.0.1:80',
      'hello     127.0.0.1:1000',
    ])
  })

  test('refuses unknown columns, and flags without effect', async () => {
    await register()
    for (const [words, message] of [
      [['hello', '--columns', 'adress'], 'Unknown column "adress" from --columns\n  Did you mean address?'],
      [['hello', '--sort', 'wieght'], 'Unknown column "wieght" from --sort\n  Did you mean weight?'],
      [['--sort', 'address'], 'Unknown column "address" from --sort'],
      [['hello', '--sort', 'weight:down'], 'Invalid --sort "weight:down"'],
      [['hello', '--columns', 'a,,b'], 'Invalid --columns "a,,b"'],
      [['hello', '--no-headers', '-o', 'ndjson'], '--no-headers has no effect with -o'],
      [['hello', '--columns', 'address', '-o', 'name'], '--columns has no effect with -o'],
    ] as const) {
      const ran = await tool.run('ls', ...words)
      expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
    }
  })
})
