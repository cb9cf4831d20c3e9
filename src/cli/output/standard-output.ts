import { fstatSync, writeSync } from 'node:fs'
import { LineOutput } from './line-output.js'

const STDOUT = 1

let output: LineOutput | undefined

/** Standard output of this process. The first call removes other libraries' handlers of failed writes. */
export function standardOutput(): LineOutput {
  if (output) return output
  const { stdout } = process
  // oclif's own listener throws every error except EPIPE, and no `catch` receives it.
  stdout.removeAllListeners('error')
  if (isFile(STDOUT)) writeWhole(stdout, STDOUT)
  output = new LineOutput(stdout)
  return output
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    // The descriptor is closed: there is no file whose writes must be completed.
    return false
  }
}

/**
 * Makes a stream to a file write all of each chunk. Node calls write(2) once per chunk and ignores a partial write,
 * so on a disk that fills up the rest would be lost without an error.
 */
function writeWhole(stream: NodeJS.WriteStream, fd: number): void {
  stream._write = (chunk: Buffer | string, encoding, callback) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }
}
