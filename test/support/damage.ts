/** A generator of numbers in [0, 1), with the same sequence for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const WRONG_VALUES = [
  'null',
  '-1',
  '1e400',
  '[]',
  '{}',
  '"1"',
  'true',
  '0.5',
  '9007199254740993',
  '{"a":1}',
  '""',
  '"grpc://"',
  '["x"]',
  '[{}]',
  '[null]',
  '"\\u001b[31m"',
  '%zz',
  '-0',
  `${'['.repeat(300)}`,
]

/** A copy of the bytes with one to three faults. It is cheap, so that tests can use very many. */
export function damaged(bytes: Buffer, random: () => number): Buffer {
  let result = bytes
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) result = damagedOnce(result, random)
  return result
}

function damagedOnce(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (bytes.length + 1))
  const to = Math.min(bytes.length, at + Math.floor(random() * 8))
  switch (Math.floor(random() * 6)) {
    case 0: {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at] = Math.floor(random() * 256)
      return changed
    }
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 3:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    default:
      return withWrongValue(bytes, at, random)
  }
}

/** Replaces the next value at or after a position with a value of another type. */
function withWrongValue(bytes: Buffer, at: number, random: () => number): Buffer {
  const wrong = WRONG_VALUES[Math.floor(random() * WRONG_VALUES.length)] ?? ''
  const text = bytes.toString('latin1')
  const colon = text.slice(at).search(/[:=](?=["\d[{tfn-])/)
  if (colon < 0) return Buffer.from(text.slice(0, at) + wrong + text.slice(at), 'latin1')
  const from = at + colon + 1
  const value = /^(?:"[^"]*"|[-\d.]+|true|false|null|[[{])/.exec(text.slice(from))?.[0] ?? ''
  return Buffer.from(text.slice(0, from) + wrong + text.slice(from + value.length), 'latin1')
}
