import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registration } from '../support/etcd-state.js'
import { temporaryFile } from '../support/temporary-file.js'
import { toolOnEtcd } from '../support/tool-on-etcd.js'

const { etcd, disco, tool } = await toolOnEtcd()

/** Suggestions for a line, as the script of fish receives them, without descriptions. */
async function offered(line: string): Promise<string[]> {
  const { stdout, stderr, code } = await tool.run('completion', 'fish', '--line', `disco ${line}`)
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  const [, ...lines] = stdout.trimEnd().split('\n')
  return lines.map((one) => one.split('\t')[0] ?? '')
}

describe('completion', () => {
  test('suggests commands, flags and choices without a registry', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['ls', 'watch', 'call', 'completion']))
    expect(await offered('dr')).toEqual(['drain'])
    expect(await offered('-o json dr')).toEqual(['drain'])
    expect(await offered('drain hello --un')).toEqual(['--undo'])
    expect(await offered('drain hello --undo --un')).toEqual([])
    expect(await offered('ls -o n')).toEqual(['ndjson', 'name'])
    expect(await offered('ls --output=n')).toEqual(['--output=ndjson', '--output=name'])
    expect(await offered('call hello --policy wrr,ran')).toEqual(['wrr,random'])
    expect(await offered('ls --layout se')).toEqual(['seed'])
    expect(await offered('help exit')).toEqual(['exit-codes'])
    expect(await offered('completion p')).toEqual(['powershell'])
    expect(await offered('register hello 127.0.0.1:1 -- cat /etc/h')).toEqual([])
    expect(await offered('nonsense ')).toEqual([])
    expect(await offered('version ')).toEqual([])
  })

  test('requests file names if a flag or a command of the user takes one', async () => {
    for (const line of ['ls --cacert ', 'call hello SayHello -d @x', 'register hello :1 -- ./ser']) {
      expect((await tool.run('completion', 'bash', '--line', `disco ${line}`)).stdout).toBe('files\n')
    }
  })

  test('suggests services, addresses, versions and selectors from the registry that the line names', async () => {
    await etcd.ctl('put', ...registration('hello', '127.0.0.1:1001', { version: '1.0.0' }))
    await etcd.ctl('put', ...registration('payments', '10.0.0.5:80', { weight: 1 }))
    const line = async (text: string) => {
      const { stdout } = await disco.run('completion', 'fish', '--line', `disco ls --root /  ${text}`)
      return stdout
    }
    const eventually = (text: string, answer: RegExp) =>
      expect.poll(() => line(text), { timeout: 20_000, interval: 300 }).toMatch(answer)
    await eventually('', /^words\nhello\t1 endpoint\npayments\t1 endpoint\n$/)
    await eventually('hello 1', /^words\n127\.0\.0\.1:1001\tversion 1\.0\.0, weight 1\n$/)
    await eventually('hello -l version=', /^words\nversion=1\.0\.0\n$/)
    await eventually('etcd:///hello 1', /127\.0\.0\.1:1001/)
    await eventually('--endpoints 127.0.0.1:1 ', /^words\n$/)
  })

  test('deletes cached answers older than an hour in the background, and no other files in their folder', async () => {
    await using home = await temporaryFile('x', '')
    const folder = join(dirname(home.path), 'disco-completion')
    await mkdir(folder)
    const old = join(folder, `${'0'.repeat(32)}.json`)
    const other = join(folder, 'notes.txt')
    const hoursAgo = new Date(Date.now() - 7_200_000)
    for (const path of [old, other]) {
      await writeFile(path, '{}')
      await utimes(path, hoursAgo, hoursAgo)
    }
    const env = { XDG_CACHE_HOME: dirname(home.path) }
    await disco.with({ env }).run('completion', 'fish', '--line', 'disco ls ')
    const left = async () => (await readdir(folder)).sort()
    const answer = expect.stringMatching(/^(?!0{32})[0-9a-f]{32}\.json$/)
    await expect.poll(left, { timeout: 20_000 }).toEqual([answer, 'notes.txt'])
  })

  test('suggests the supported shells', async () => {
    const without = await tool.run('completion')
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('needs the name of a shell') })
    const other = await tool.run('completion', 'zhs')
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean zsh?') })
    expect((await tool.run('completion', 'bash')).stdout).toContain('complete -F _disco disco')
  })
})
