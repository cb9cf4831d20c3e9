import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Disco } from '../support/disco.js'

const README = readFileSync('README.md', 'utf8')
const [, block = ''] = /^The other commands, from another run:\n\n```\n(.*?)^```$/ms.exec(README) ?? []

interface Shown {
  readonly command: string
  readonly output: string
}

/** The commands of a README block, each with its output, as copied from a terminal. */
const shown: Shown[] = block
  .split(/^\$ /m)
  .filter((part) => part !== '')
  .map((part) => {
    const [command = '', ...lines] = part.split('\n')
    return { command, output: lines.join('\n') }
  })

/** The text of an output that is the same in every run: without numbers, lease ids, bars, column widths and the order of rows. */
function words(output: string): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines
    .map((line) =>
      line
        .replaceAll(/\S*\d\S*|…[a-f]+|–/g, 'N')
        .replaceAll(/[█|]+/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .toSorted()
}

test('the output in README is what its commands print against disco dev', async () => {
  const heavy = /(127\.0\.0\.1:\d+) +1\.0\.0 +10 /.exec(block)?.[1] ?? ''
  expect(shown.map(({ command }) => command)).toEqual([
    'disco ls hello',
    'disco call hello SayHello --n 10',
    `disco weight hello ${heavy} 2`,
  ])
  const disco = new Disco('')
  const dev = disco.start('dev', '--port', '0')
  try {
    await dev.printed('Ctrl-C ends it')
    const [, endpoints = ''] = /DISCO_ENDPOINTS=(\S+)/.exec(dev.stderr) ?? []
    const [, addr = ''] = /(\S+) weight 10$/m.exec(dev.stderr) ?? []
    for (const { command, output } of shown) {
      const line = command.replace(heavy, addr)
      const { stdout, stderr, code } = await disco
        .shell(`export DISCO_ENDPOINTS=${endpoints}; ${line} 2>&1`)
        .exited()
      expect(code, stderr).toBe(0)
      const printed = stdout.split('\n').filter((row) => !/^[●◐✗] \w+( |$)/.test(row))
      expect(words(printed.join('\n')), command).toEqual(words(output))
    }
  } finally {
    await dev.end('SIGINT')
    await disco.stopAll()
  }
})
