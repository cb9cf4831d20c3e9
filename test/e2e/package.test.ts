import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Disco } from '../support/disco.js'
import { pack } from '../support/pack.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAX_BYTES = 3_000_000

let folder: string
let installed: string

/** Unpacks the package that `npm publish` would upload, in a folder without other packages. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-package-'))
  const tarball = pack(folder)
  expect(statSync(tarball).size).toBeLessThan(MAX_BYTES)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  execFileSync('tar', ['-xf', tarball, '-C', modules])
  installed = join(modules, 'package')
})

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

function run(...args: string[]): string {
  return execFileSync(process.execPath, [join(installed, 'bin/run.js'), ...args], {
    cwd: folder,
    env: { XDG_CACHE_HOME: folder, PATH: process.env.PATH },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

describe('the package, without any other package beside it,', () => {
  it('prints help, its version and errors without loading the gRPC library', () => {
    const loaded = join(folder, 'loaded.cjs')
    writeFileSync(
      loaded,
      `process.on('exit', () => require('node:fs').writeFileSync(__filename + '.json', JSON.stringify(process.moduleLoadList)))`,
    )
    const env = { XDG_CACHE_HOME: folder, PATH: process.env.PATH, NODE_OPTIONS: `--require ${loaded}` }
    const help = execFileSync(process.execPath, [join(installed, 'bin/run.js'), '--help'], {
      env,
      encoding: 'utf8',
    })
    for (const command of ['call', 'help', 'ls', 'watch'])
      expect(help).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(readFileSync(`${loaded}.json`, 'utf8')).not.toContain('NativeModule http2')
    expect(run('help', 'ls')).toContain('USAGE')
    expect(run('ls', '--help')).toContain('USAGE')
    expect(run('--version')).toContain('disco-registry/')
  })

  it('starts a registry with backends, lists and calls them', () => {
    const inside = `"${process.execPath}" "${join(installed, 'bin/run.js')}"`
    const lines = `${inside} ls hello && ${inside} call hello SayHello --n 10 --json`
    const printed = run('dev', '--port', '0', '--backends', '1,1', '--', 'bash', '--norc', '-c', lines)
    expect(printed).toMatch(/127\.0\.0\.1:\d+ +1\.0\.0 +1 +50\.0%/)
    expect(printed).toContain('"disco.call/v1"')
  })

  it('names files of src/ in stack traces, and contains no path of the machine that built it', async () => {
    const ran = await new Disco('', { XDG_CACHE_HOME: folder }).run('ls', '--nope', '--debug')
    expect(ran.stderr).toMatch(/src\/cli\/[\w-]+\.ts:\d+:\d+/)
    expect(ran.code).toBe(2)
    const parts = readdirSync(join(installed, 'dist/bundle'))
    expect(parts.sort()).toEqual(['THIRD-PARTY-NOTICES.txt', 'disco.cjs', 'disco.cjs.map', 'start.cjs'])
    for (const part of parts) {
      const text = readFileSync(join(installed, 'dist/bundle', part), 'utf8')
      expect(text.includes(ROOT), part).toBe(false)
    }
  })

  it('contains the licences of the built-in libraries', () => {
    const notices = readFileSync(join(installed, 'dist/bundle/THIRD-PARTY-NOTICES.txt'), 'utf8')
    for (const name of ['@oclif/core', '@grpc/grpc-js', 'etcd3', 'protobufjs', 'chalk'])
      expect(notices).toContain(`\n${name} `)
    expect(notices).toContain('Apache License')
  })
})
