import { inflateSync } from 'node:zlib'

export interface Image {
  readonly width: number
  readonly height: number
  /** Number of pixels by colour, `#rrggbb`. */
  readonly colors: ReadonlyMap<string, number>
}

/** Decodes a PNG with 8 bits per channel in RGB or RGBA without interlacing, such as a screenshot. */
export function readPng(bytes: Buffer): Image {
  const header = bytes.indexOf('IHDR') + 4
  const [width, height] = [bytes.readUInt32BE(header), bytes.readUInt32BE(header + 4)]
  const [depth, type] = [bytes[header + 8], bytes[header + 9]]
  if (depth !== 8 || (type !== 2 && type !== 6)) throw new Error(`a PNG of type ${type} with ${depth} bits`)
  const channels = type === 6 ? 4 : 3
  const stride = width * channels
  const packed = inflateSync(Buffer.concat(chunksOf(bytes, 'IDAT')))
  const colors = new Map<string, number>()
  let above = Buffer.alloc(stride)
  for (let row = 0; row < height; row++) {
    const at = row * (stride + 1)
    const line = unfiltered(packed.subarray(at + 1, at + 1 + stride), above, packed[at] ?? 0, channels)
    for (let pixel = 0; pixel < stride; pixel += channels) {
      const color = `#${line.toString('hex', pixel, pixel + 3)}`
      colors.set(color, (colors.get(color) ?? 0) + 1)
    }
    above = line
  }
  return { width, height, colors }
}

function chunksOf(bytes: Buffer, type: string): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    if (bytes.toString('latin1', at + 4, at + 8) === type)
      chunks.push(bytes.subarray(at + 8, at + 8 + length))
    at += length + 12
  }
  return chunks
}

/** Undoes the filter of a row: each byte is stored as a difference to its neighbors (PNG, 9.2). */
function unfiltered(line: Buffer, above: Buffer, filter: number, channels: number): Buffer<ArrayBuffer> {
  const out = Buffer.alloc(line.length)
  for (let at = 0; at < line.length; at++) {
    const left = out[at - channels] ?? 0
    const up = above[at] ?? 0
    const corner = at < channels ? 0 : (above[at - channels] ?? 0)
    const predicted = [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter] ?? 0
    out[at] = ((line[at] ?? 0) + predicted) & 255
  }
  return out
}

function nearest(left: number, up: number, corner: number): number {
  const estimate = left + up - corner
  const distances = [left, up, corner].map((value) => Math.abs(estimate - value)) as [number, number, number]
  const least = Math.min(...distances)
  return distances[0] === least ? left : distances[1] === least ? up : corner
}
