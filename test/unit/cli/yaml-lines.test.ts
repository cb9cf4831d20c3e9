import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { yamlLines } from '../../../src/cli/output/yaml.js'

const yaml = (value: unknown) => [...yamlLines(value)].join('\n')

test('any JSON value is read back by the YAML library, as YAML 1.2 and as 1.1', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'on',
      'NO',
      'y',
      '~',
      '1.0',
      '1e5',
      '2001-01-01',
      '0x1f',
      '10:20',
      'a: b',
      'a #b',
      '- a',
      '',
    ),
    fc.constantFrom(
      '\u200b',
      '\u202e',
      '\u{e0041}',
      '\u001b[31m',
      'a\nb',
      '\u2028',
      '=',
      '<<',
      '/a/b:1',
      'a:',
    ),
  )
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      texts,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(texts, tie('json'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(json, (value) => {
      const text = yaml(value)
      for (const version of ['1.2', '1.1'] as const) {
        expect(parse(text, { version, merge: false, strict: true })).toEqual(value)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('control characters and invisible characters are escaped', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(yaml([text, { [text]: text }])).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}](?<!\n)/u)
    }),
    { numRuns: 1_000 },
  )
})

test('lists of maps have the usual form, and plain texts are not quoted', () => {
  const value = {
    schema: 'disco.registry/v1',
    none: null,
    list: [],
    endpoints: [{ addr: '1.2.3.4:1', metadata: {} }, { a: { b: 'c' } }],
  }
  expect(yaml(value).split('\n')).toEqual([
    'schema: disco.registry/v1',
    'none: null',
    'list: []',
    'endpoints:',
    '  - addr: "1.2.3.4:1"',
    '    metadata: {}',
    '  - a:',
    '      b: c',
  ])
})
