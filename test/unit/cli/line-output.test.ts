import { PassThrough, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { LineOutput } from '../../../src/cli/output/line-output.js'

/** A stream whose writes fail with this code. */
function failing(code: string): Writable {
  const error = Object.assign(new Error(code), { code })
  return new Writable({ autoDestroy: false, write: (_chunk, _encoding, callback) => callback(error) })
}

async function after(output: LineOutput): Promise<LineOutput> {
  output.writeLine('a')
  await output.flushed()
  return output
}

test('a slow reader: write() reports it, and drained() resolves once the reader has read', async () => {
  const pipe = new PassThrough({ highWaterMark: 4 })
  const output = new LineOutput(pipe)
  expect(output.writeLine('abc')).toBe(false)
  let isDrained = false
  const drained = output.drained().then(() => {
    isDrained = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isDrained).toBe(false)
  pipe.resume()
  await drained
  expect(output.writeLine('')).toBe(true)
  await output.drained()
})

test('drained() resolves when the reader has closed the pipe, and ended is aborted without a failure', async () => {
  let fail: (error: Error) => void = () => undefined
  const stuck = new Writable({
    autoDestroy: false,
    highWaterMark: 1,
    write: (_chunk, _encoding, callback) => {
      fail = callback
    },
  })
  const output = new LineOutput(stuck)
  expect(output.writeLine('abc')).toBe(false)
  const drained = output.drained()
  fail(Object.assign(new Error('gone'), { code: 'EPIPE' }))
  await drained
  expect(output.ended.aborted).toBe(true)
  expect(output.failure).toBeNull()
})

test('a full disk is a failure, and ends the output', async () => {
  const output = await after(new LineOutput(failing('ENOSPC')))
  expect(output.ended.aborted).toBe(true)
  expect(output.failure).toMatchObject({ code: 'ENOSPC' })
})

test('EIO means a closed terminal or a broken disk, depending on the output', async () => {
  const terminal = await after(new LineOutput(Object.assign(failing('EIO'), { isTTY: true })))
  expect(terminal.failure).toBeNull()
  expect(terminal.ended.aborted).toBe(true)
  const file = await after(new LineOutput(failing('EIO')))
  expect(file.failure).toMatchObject({ code: 'EIO' })
})

test('ignored failures neither end the output nor are stored', async () => {
  const output = new LineOutput(failing('EPIPE'))
  output.ignoreFailures()
  await after(output)
  expect(output.ended.aborted).toBe(false)
  expect(output.failure).toBeNull()
})

test('lines of one turn of the event loop are written together, in order', async () => {
  const calls: string[][] = []
  const note = (chunks: readonly Buffer[]) => calls.push(chunks.map(String))
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      note([chunk])
      callback()
    },
    writev: (chunks, callback) => {
      note(chunks.map(({ chunk }) => chunk as Buffer))
      callback()
    },
  })
  const output = new LineOutput(stream)
  output.collectLines()
  output.writeLine('a')
  await Promise.resolve()
  output.writeLine('b')
  await new Promise((resolve) => setImmediate(resolve))
  output.writeLine('c')
  await output.flushed()
  expect(calls.map((call) => call.join(''))).toEqual(['a\nb\n', 'c\n'])
})
