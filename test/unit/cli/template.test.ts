import { describe, expect, it } from 'vitest'
import { templateWriter } from '../../../src/cli/output/template.js'

const DOC = { addr: '127.0.0.1:1001', weight: 3, lease: null, metadata: { zone: 'b', note: '<a & b>' } }

function line(template: string, document: object = DOC): string {
  return templateWriter(template, '-o template').line(document)
}

describe('templateWriter', () => {
  it('writes fields, fields of objects, and sections', () => {
    expect(line('{{addr}} {{weight}}')).toBe('127.0.0.1:1001 3')
    expect(line('server {{addr}};{{#lease}} leased{{/lease}}{{^lease}} no lease{{/lease}}')).toBe(
      'server 127.0.0.1:1001; no lease',
    )
    expect(line('{{metadata.zone}} {{metadata}}')).toBe('b {"zone":"b","note":"<a & b>"}')
    expect(line('{{#versions}}[{{.}}]{{/versions}}', { versions: ['1', '2'] })).toBe('[1][2]')
  })

  it('does not escape HTML, and shows control characters as codes', () => {
    expect(line('{{metadata.note}} {{{metadata.note}}}')).toBe('<a & b> <a & b>')
    expect(line('{{x}}|{{{x}}}|{{&x}}', { x: '\u001b[31m\u202e' })).toBe(
      '\\u001b[31m\\u202e|\\u001b[31m\\u202e|\\u001b[31m\\u202e',
    )
  })

  it('refuses an unknown field before anything is written, and an unclosed tag', () => {
    const check = (template: string) => () => templateWriter(template, '-o template').check?.([DOC])
    expect(check('{{adr}}')).toThrow('-o template has an unknown field: {{adr}}')
    expect(check('{{#metadat}}{{zone}}{{/metadat}}')).toThrow('{{metadat}}')
    expect(check('{{addr}} {{metadata.zone}} {{metadata.none}}')).not.toThrow()
    expect(() => templateWriter('{{adr}}', '-o template').check?.([])).not.toThrow()
    expect(() => line('{{addr')).toThrow('-o template is invalid')
    expect(() => line('{{#a}}')).toThrow('-o template is invalid')
  })
})
