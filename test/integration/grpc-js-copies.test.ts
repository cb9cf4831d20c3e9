import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

/**
 * Folder of a program that links disco-registry like `npm link`, so that the library uses the grpc-js of this
 * repository.
 */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disco-copies-'))
  mkdirSync(join(folder, 'node_modules/@grpc'), { recursive: true })
  symlinkSync(resolve('.'), join(folder, 'node_modules/disco-registry'))
})
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

async function warningsOf(program: string): Promise<string> {
  writeFileSync(join(folder, 'main.mjs'), program)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')])
  expect(stdout).toBe('installed\n')
  return stderr
}

const PROGRAM = `
  import '@grpc/grpc-js'
  import { install } from 'disco-registry/grpc'
  install()
  console.log('installed')`

test('install warns a program that has another copy of grpc-js, with both folders, and not a program that shares the copy', async () => {
  const own = join(folder, 'node_modules/@grpc/grpc-js')
  symlinkSync(resolve('node_modules/@grpc/grpc-js'), own)
  expect(await warningsOf(PROGRAM)).toBe('')

  rmSync(own)
  cpSync('node_modules/@grpc/grpc-js', own, { recursive: true })
  for (const needed of ['@grpc/proto-loader', '@js-sdsl']) {
    symlinkSync(resolve('node_modules', needed), join(folder, 'node_modules', needed))
  }
  const warnings = await warningsOf(PROGRAM)
  expect(warnings).toContain('[DISCO_TWO_GRPC_JS] Warning: Two copies of @grpc/grpc-js are loaded')
  expect(warnings).toContain(
    `disco-registry uses ${resolve('node_modules/@grpc/grpc-js')}, this program ${own}.`,
  )
})
