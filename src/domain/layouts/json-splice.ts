/**
 * Sets a top-level member of a JSON object to a number, in place: every other byte of the value stays, be it
 * white space, an unknown field or something after the object. Works on bytes one by one (as Latin-1), so
 * that text in any encoding survives. Duplicate members all change: readers differ in which one they take.
 *
 * @param json a value that parses as a JSON object.
 */
export function spliceNumber(json: Uint8Array, member: string, number: number): Uint8Array {
  const text = Buffer.from(json).toString('latin1')
  const { spans, isEmpty, end } = scanObject(text, member)
  let spliced = text
  for (const [from, to] of spans.toReversed()) {
    spliced = spliced.slice(0, from) + number + spliced.slice(to)
  }
  if (spans.length === 0) {
    spliced = `${text.slice(0, end)}${isEmpty ? '' : ','}${JSON.stringify(member)}:${number}${text.slice(end)}`
  }
  return Buffer.from(spliced, 'latin1')
}

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/gs

interface Scan {
  /** Where the values of the member stand: from, to. */
  readonly spans: readonly (readonly [number, number])[]
  readonly isEmpty: boolean
  /** Where the object's closing brace stands. */
  readonly end: number
}

function scanObject(text: string, member: string): Scan {
  const spans: (readonly [number, number])[] = []
  let depth = 0
  let name: string | null = null
  let valueFollows = false
  let tokens = 0
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0]
    const at = match.index
    tokens++
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') {
      depth--
      if (depth === 0) return { spans, isEmpty: tokens === 2, end: at }
    } else if (depth === 1) {
      if (token === ',') {
        name = null
        valueFollows = false
      } else if (token === ':') valueFollows = true
      else if (!valueFollows) name = JSON.parse(token) as string
      else if (name === member) spans.push([at, at + token.length])
    }
  }
  throw new Error('spliceNumber needs a JSON object')
}
