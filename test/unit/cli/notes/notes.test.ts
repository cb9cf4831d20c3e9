import { expect, it } from 'vitest'
import type { DialTarget } from '../../../../src/cli/flags/target.js'
import { notesOn } from '../../../../src/cli/notes/notes.js'
import { endpoint } from '../../../support/endpoints.js'

/** The note about layout and root, where the tool read `target` at `layout` and `root`. */
function noteOn(target: string, layout: string, root: string, env = {}, found = 'seed') {
  const registry: DialTarget['registry'] = { service: 'hello', place: { layout, root }, isUri: true }
  const reading = { dialled: { target, registry }, members: ['10.0.0.1:2379'], env }
  const [note, ...more] = notesOn(reading, [endpoint({ layout: found, addr: '10.0.0.1:1' })])
  expect(more).toEqual([])
  return note ?? null
}

it.each<[when: string, args: Parameters<typeof noteOn>]>([
  ['both read the default', ['etcd:///hello', 'seed', '']],
  ['the tool found the default by itself', ['etcd:///hello', 'auto', '']],
  [
    'variables name layout and root',
    ['etcd:///hello', 'etcd', '/a', { DISCO_LAYOUT: 'etcd', DISCO_ROOT: '/a' }],
  ],
  ['the tool found what a variable names', ['etcd:///hello', 'auto', '', { DISCO_LAYOUT: 'etcd' }, 'etcd']],
  ['a variable lets a program read all', ['etcd:///hello', 'auto', '', { DISCO_LAYOUT: 'auto' }, 'etcd']],
  ['the target names them', ['etcd:///hello?layout=etcd&root=/a', 'etcd', '/a']],
])('a program reads the same, without a note, where %s', (_, args) => {
  expect(noteOn(...args)).toBeNull()
})

it.each<[when: string, args: Parameters<typeof noteOn>, target: string, text: string]>([
  [
    'a flag, context or project gives a root',
    ['etcd:///hello', 'seed', '/a'],
    'etcd:///hello?root=/a',
    'Read under root /a. A program reads without a root unless its target or options name another: ',
  ],
  [
    'a target names the layout alone',
    ['etcd:///hello?layout=etcd', 'etcd', '/a', {}, 'etcd'],
    'etcd:///hello?layout=etcd&root=/a',
    'Read under root /a. A program reads without a root unless',
  ],
  [
    'another root is in the variable',
    ['etcd:///hello', 'seed', '/a', { DISCO_ROOT: '/b' }],
    'etcd:///hello?root=/a',
    'Read under root /a. A program reads under root /b unless',
  ],
  [
    'the layout is another',
    ['etcd:///hello', 'auto', '/a', {}, 'etcd'],
    'etcd:///hello?root=/a&layout=etcd',
    'Read in layout etcd. A program reads seed unless',
  ],
  [
    'the variable names another layout than the flag',
    ['etcd:///hello', 'seed', '', { DISCO_LAYOUT: 'etcd' }],
    'etcd:///hello?layout=seed',
    'Read in layout seed. A program reads etcd unless',
  ],
])('a program reads another list, with the target that agrees, where %s', (_, args, target, text) => {
  const note = noteOn(...args)
  expect(note).toMatchObject({ code: 'layout', target })
  expect(note?.text).toContain(text)
  expect(note?.text).toContain(`: ${target}`)
})
