/** A word, number, symbol or string of a .proto file. */
interface Token {
  readonly text: string
  readonly kind: 'word' | 'number' | 'string' | 'symbol' | 'end'
  /** The index of the token in the text of the file. */
  readonly at: number
}

/** An error in the text of a .proto file. */
export class ProtoProblem extends Error {
  /**
   * @param file the name of the file
   * @param place line and column, such as `3:14`, both from 1
   * @param problem the error, as a clause
   */
  constructor(
    file: string,
    readonly place: string,
    readonly problem: string,
  ) {
    super(`${file}:${place}: ${problem}`)
  }
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
const TOKEN =
  /([A-Za-z_]\w*)|((?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fF]?)|("(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')|([{}[\]()<>=;,.:+\-/])/y

/** The tokens of a .proto file, in order. The methods that parse throw ProtoProblem for an unexpected token. */
export class Tokens {
  private next: Token

  /** @param name the name of the file, for messages */
  constructor(
    private readonly source: string,
    readonly name: string,
  ) {
    this.next = this.read(0)
  }

  /** The text of the next token; empty for a string. */
  get text(): string {
    return this.next.kind === 'string' ? '' : this.next.text
  }

  get kind(): Token['kind'] {
    return this.next.kind
  }

  /** The index of the next token in the text, for `problem`. */
  get at(): number {
    return this.next.at
  }

  /** Returns the next token and advances. */
  take(): string {
    const { text, at, kind } = this.next
    if (kind === 'end') throw this.unexpected('more')
    this.next = this.read(at + text.length)
    return text
  }

  /** Takes the next token if it is this word or symbol. @returns whether it was */
  takeIf(text: string): boolean {
    if (this.text !== text || this.next.kind === 'end') return false
    this.take()
    return true
  }

  expect(text: string): void {
    if (!this.takeIf(text)) throw this.unexpected(`"${text}"`)
  }

  word(): string {
    if (this.kind !== 'word') throw this.unexpected('a name')
    return this.take()
  }

  /** Takes a name with dots; a fully qualified name begins with a dot. */
  path(): string {
    let path = this.takeIf('.') ? '.' : ''
    path += this.word()
    while (this.takeIf('.')) path += `.${this.word()}`
    return path
  }

  /** Takes an integer: decimal, hexadecimal or octal, optionally negative. */
  integer(): bigint {
    const isNegative = this.takeIf('-')
    const { text } = this
    if (this.kind !== 'number' || !/^(?:0[xX][0-9a-fA-F]+|\d+)$/.test(text)) throw this.unexpected('a number')
    this.take()
    const value = BigInt(/^0\d/.test(text) ? `0o${text.slice(1)}` : text)
    return isNegative ? -value : value
  }

  /** Takes one or more adjacent strings, and joins them. The result is unquoted, but escapes are not decoded. */
  string(): string {
    if (this.kind !== 'string') throw this.unexpected('a string')
    let value = ''
    while (this.kind === 'string') value += this.take().slice(1, -1)
    return value
  }

  unexpected(expected: string): ProtoProblem {
    const { kind, at, text } = this.next
    const found = kind === 'end' ? 'the end of the file' : text.slice(0, 40)
    return this.problem(`expected ${expected}, found ${found}`, at)
  }

  /** Creates an error. @param at the index in the text; by default, that of the next token */
  problem(what: string, at = this.next.at): ProtoProblem {
    const before = this.source.slice(0, at).split('\n')
    return new ProtoProblem(this.name, `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`, what)
  }

  private read(from: number): Token {
    SPACE.lastIndex = from
    SPACE.exec(this.source)
    const at = SPACE.lastIndex
    if (at >= this.source.length) return { text: '', kind: 'end', at }
    TOKEN.lastIndex = at
    const [text, word, number, string] = TOKEN.exec(this.source) ?? []
    if (text === undefined) throw this.problem(`unexpected character ${JSON.stringify(this.source[at])}`, at)
    const kind =
      word !== undefined
        ? 'word'
        : number !== undefined
          ? 'number'
          : string !== undefined
            ? 'string'
            : 'symbol'
    return { text, kind, at }
  }
}
