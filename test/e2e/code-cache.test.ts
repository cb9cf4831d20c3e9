import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { Disco, type Ran } from '../support/disco.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VERDICT = ['verdict', '--counts', 'a=50,b=50', '--weights', 'a=1,b=1']

let base: string
let folder: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'disco-code-cache-'))
  folder = join(base, 'disco-code')
})

afterEach(() => rmSync(base, { recursive: true, force: true, maxRetries: 5 }))

/** Runs the tool with this cache folder. */
async function verdict(cacheHome: string, env: Record<string, string> = {}): Promise<Ran> {
  return await new Disco('', { XDG_CACHE_HOME: cacheHome, ...env }).run(...VERDICT)
}

function expectSuccess(ran: Ran): void {
  expect(ran.stdout).toContain('PASS')
  expect(ran).toMatchObject({ code: 0, stderr: '' })
}

const files = (): string[] => readdirSync(folder)

function onlyFile(): string {
  const [name, ...others] = files()
  expect(others).toEqual([])
  return join(folder, name ?? 'none')
}

test('the bundle is ASCII, because the start code reads one byte per character', () => {
  for (const file of ['disco.cjs', 'start.cjs']) {
    const bytes = readFileSync(join(ROOT, 'dist/bundle', file))
    expect(bytes.findIndex((byte) => byte > 0x7f)).toBe(-1)
  }
})

describe('the code cache', () => {
  it('is created by the first run, readable only by this user, and not changed by the next run', async () => {
    expectSuccess(await verdict(base))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    const made = statSync(onlyFile())
    expect(made.mode & 0o777).toBe(0o600)
    expectSuccess(await verdict(base))
    expect(statSync(onlyFile()).ino).toBe(made.ino)
  })

  it('is created once by several concurrent first runs, which leave no temporary files', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => verdict(base)))
    for (const ran of runs) expectSuccess(ran)
    expect(onlyFile()).toMatch(/verdict-[0-9a-f]{32}\.bin$/)
  })

  it('is not created by a failing run, nor when disabled', async () => {
    await new Disco('', { XDG_CACHE_HOME: base }).run('verdict', '--nope')
    expectSuccess(await verdict(base, { NODE_DISABLE_COMPILE_CACHE: '1' }))
    expect(readdirSync(base)).toEqual([])
  })

  it('is recreated if a file is damaged, truncated, empty or from another command', async () => {
    await verdict(base)
    await new Disco('', { XDG_CACHE_HOME: base }).run('--help')
    const [help = '', own = ''] = files().sort()
    const file = join(folder, own)
    const good = readFileSync(file)
    const flipped = Buffer.from(good)
    flipped[good.length >> 1] = ~(good[good.length >> 1] ?? 0)
    const bad = { flipped, short: good.subarray(0, 1000), empty: Buffer.alloc(0) }
    for (const bytes of [...Object.values(bad), readFileSync(join(folder, help))]) {
      writeFileSync(file, bytes)
      const before = statSync(file).ino
      expectSuccess(await verdict(base))
      expect(statSync(file).ino).not.toBe(before)
    }
  })

  it('is not read from a folder or file that other users could write to, nor through links', async () => {
    await verdict(base)
    const file = onlyFile()
    chmodSync(file, 0o622)
    const writable = statSync(file).ino
    expectSuccess(await verdict(base))
    expect(statSync(file).ino).not.toBe(writable)

    const elsewhere = join(base, 'elsewhere')
    copyFileSync(file, elsewhere)
    rmSync(file)
    symlinkSync(elsewhere, file)
    expectSuccess(await verdict(base))
    expect(lstatSync(file).isFile()).toBe(true)
    expect(statSync(elsewhere).size).toBeGreaterThan(0)

    rmSync(file)
    execFileSync('mkfifo', [file])
    expectSuccess(await verdict(base))
    expect(lstatSync(file).isFile()).toBe(true)

    chmodSync(folder, 0o755)
    rmSync(file)
    expectSuccess(await verdict(base))
    expect(files()).toEqual([])

    rmSync(folder, { recursive: true, maxRetries: 5 })
    mkdirSync(join(base, 'real'), { mode: 0o700 })
    symlinkSync(join(base, 'real'), folder)
    expectSuccess(await verdict(base))
    expect(readdirSync(join(base, 'real'))).toEqual([])
  })

  it('is skipped if its folder cannot be used', async () => {
    const file = join(base, 'file')
    writeFileSync(file, '')
    const fifo = join(base, 'fifo')
    execFileSync('mkfifo', [fifo])
    const looped = join(base, 'loop')
    symlinkSync(looped, looped)
    for (const place of ['/proc', '/dev/null', file, fifo, looped, join(base, 'a/b/c')])
      expectSuccess(await verdict(place))
    expect(readdirSync(base).sort()).toEqual(['fifo', 'file', 'loop'])
  })

  it('is below the home folder if XDG_CACHE_HOME is relative, which the XDG specification says to ignore', async () => {
    expectSuccess(await verdict('node_modules', { HOME: base }))
    expect(readdirSync(join(base, '.cache'))).toEqual(['disco-code'])
    expectSuccess(await verdict('', { HOME: 'relative' }))
  })

  it('leaves no partial file if the disk is full', async () => {
    const ran = await new Disco('', { XDG_CACHE_HOME: base })
      .shell(`ulimit -f 64; disco ${VERDICT.join(' ')}`)
      .exited()
    expectSuccess(ran)
    expect(files()).toEqual([])
  })

  it('removes files that are a month old', async () => {
    mkdirSync(folder, { mode: 0o700 })
    writeFileSync(join(folder, 'ls-old.bin'), '')
    execFileSync('touch', ['-d', '32 days ago', join(folder, 'ls-old.bin')])
    expectSuccess(await verdict(base))
    expect(onlyFile()).toContain('verdict-')
  })

  it('is used only for the exact source and the V8 flags that it was compiled with', async () => {
    const copy = join(base, 'copy')
    cpSync(join(ROOT, 'bin'), join(copy, 'bin'), { recursive: true })
    cpSync(join(ROOT, 'dist/bundle'), join(copy, 'dist/bundle'), { recursive: true })
    const run = (...args: string[]) =>
      execFileSync(process.execPath, [...args, join(copy, 'bin/run.js'), ...VERDICT], {
        env: { XDG_CACHE_HOME: base },
        encoding: 'utf8',
      })
    expect(run()).toContain('PASS')
    expect(onlyFile()).toContain('verdict-')
    expect(run('--no-opt')).toContain('PASS')
    expect(files()).toHaveLength(2)
    // The patched source has the same length, and V8 itself compares only the length.
    const bundle = join(copy, 'dist/bundle/disco.cjs')
    const source = readFileSync(bundle, 'latin1')
    const patched = source.replaceAll('OBSERVED', 'REPLACED')
    expect(patched).not.toBe(source)
    writeFileSync(bundle, patched, 'latin1')
    expect(run()).toContain('REPLACED')
    expect(files()).toHaveLength(3)
  })
})
