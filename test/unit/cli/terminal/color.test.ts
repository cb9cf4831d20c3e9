import { expect, it } from 'vitest'
import { paletteFor } from '../../../../src/cli/terminal/color.js'

const terminal = { isTTY: true }
const pipe = {}

function isColored(stream: { isTTY?: boolean }, wanted: boolean, env: Record<string, string>): boolean {
  const painted = paletteFor(stream, wanted, env).red('x')
  if (painted !== 'x') expect(painted).toBe('\u001b[31mx\u001b[39m')
  return painted !== 'x'
}

it.each([
  ['a terminal', terminal, true, {}, true],
  ['a terminal with a name', terminal, true, { TERM: 'xterm' }, true],
  ['a pipe', pipe, true, {}, false],
  ['TERM=dumb', terminal, true, { TERM: 'dumb' }, false],
  ['NO_COLOR', terminal, true, { NO_COLOR: '1' }, false],
  ['NO_COLOR, whatever it holds', terminal, true, { NO_COLOR: '0' }, false],
  ['an empty NO_COLOR, which says nothing', terminal, true, { NO_COLOR: '' }, true],
  ['FORCE_COLOR on a pipe', pipe, true, { FORCE_COLOR: '1' }, true],
  ['an empty FORCE_COLOR on a pipe', pipe, true, { FORCE_COLOR: '' }, true],
  ['FORCE_COLOR on a dumb terminal', terminal, true, { FORCE_COLOR: '1', TERM: 'dumb' }, true],
  ['FORCE_COLOR=0', terminal, true, { FORCE_COLOR: '0' }, false],
  ['FORCE_COLOR=false', terminal, true, { FORCE_COLOR: 'false' }, false],
  ['NO_COLOR against FORCE_COLOR', terminal, true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ['--no-color against everything', terminal, false, { FORCE_COLOR: '1' }, false],
])('%s', (_, stream, wanted, env, colored) => {
  expect(isColored(stream, wanted, env)).toBe(colored)
})
