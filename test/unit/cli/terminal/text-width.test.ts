import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { textWidth } from '../../../../src/cli/terminal/text-width.js'

/** Characters of our own tables, and some that join or take two columns. */
const MARKS = [...'aZ 0~-–—…→●◐✗✓█▏▎▍▌▋▊▉▁▂▃▄▅▆▇|']
const OTHERS = ['\u001b[31m', '\u001b[0m', '漢', 'é', 'e\u0301', '👍🏽', '\u200b', '\ufe0f', '가', '#\u20e3']

describe('the width of a text', () => {
  it('equals that of string-width, for our symbols and for any text from a registry', () => {
    const texts = fc.array(
      fc.oneof(fc.constantFrom(...MARKS, ...OTHERS), fc.string({ unit: 'binary', maxLength: 3 })),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join('')
        expect(textWidth(text)).toBe(stringWidth(text))
      }),
    )
  })
})
