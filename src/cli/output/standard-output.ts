import { fstatSync, writeSync } from 'node:fs'
import { LineOutput } from './line-output.js'

const STDOUT = 1

let output: LineOutput | undefined

/** Standard output of this process. The first call replaces what other libraries do when a write to it fails. */
export function standardOutput(): LineOutput {
  if (output) return output
  const { stdout } = process
  // oclif's own listener throws whatever is not EPIPE, and nothing could catch that.
  stdout.removeAllListeners('error')
  if (isFile(STDOUT)) writeWhole(stdout, STDOUT)
  output = new LineOutput(stdout)
  return output
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}

/**
 * Makes a stream to a file write all of each chunk. Node calls write(2) once a chunk and ignores how much of it
 * was taken, so that on a disk that fills up the rest would be lost without an error.
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
