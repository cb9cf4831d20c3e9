/**
 * Cuts a text that arrives in pieces into JSON values. An object or list ends with its closing bracket, and may span
 * several lines. Any other value ends with its line. A line break inside a string also ends the value.
 */
export class MessageSplitter {
  private pending = ''
  private depth = 0
  private isInString = false
  private isEscaped = false

  /** @returns the values that are complete now */
  push(text: string): string[] {
    const values: string[] = []
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (!this.endsAt(text[at] as string)) continue
      values.push(this.pending + text.slice(from, at + 1))
      this.pending = ''
      from = at + 1
    }
    this.pending += text.slice(from)
    return values.map((value) => value.trim()).filter((value) => value !== '')
  }

  /** @returns the incomplete value at the end of the text; empty if there is none */
  end(): string {
    return this.pending.trim()
  }

  private endsAt(character: string): boolean {
    if (character === '\n' && (this.isInString || this.depth === 0)) {
      // A JSON string cannot span lines: the next line begins a new value.
      this.depth = 0
      this.isInString = false
      this.isEscaped = false
      return true
    }
    if (this.isInString) {
      if (this.isEscaped) this.isEscaped = false
      else if (character === '\\') this.isEscaped = true
      else if (character === '"') this.isInString = false
      return false
    }
    if (character === '"') this.isInString = true
    else if (character === '{' || character === '[') this.depth++
    else if (character === '}' || character === ']') {
      this.depth = Math.max(0, this.depth - 1)
      return this.depth === 0
    }
    return false
  }
}
