import type { OutputFormat } from '../base-command.js'
import { jsonLine, prettyJson, visible } from '../terminal/visible.js'
import type { ChangeDoc, HistoryHead, HistoryTail } from './document.js'
import type { HistoryRows } from './rows.js'

/** Writes a history as it is read, in one output format. */
export interface HistoryWriter {
  add(changes: readonly ChangeDoc[]): void
  /** Called once, after all changes. */
  end(tail: HistoryTail & Partial<ErrorTail>): void
}

/** Under --json, the error that ended the history: the document is complete all the same. */
interface ErrorTail {
  readonly error: object
}

type Out = (text: string) => void

export function historyWriter(
  format: OutputFormat,
  head: HistoryHead,
  rows: HistoryRows,
  out: Out,
): HistoryWriter {
  switch (format) {
    case 'json':
      return jsonWriter(head, out)
    case 'ndjson':
      return perChange((change) => out(jsonLine(change)))
    case 'name': {
      const written = new Set<string>()
      return perChange(({ addr }) => {
        if (!written.has(addr)) out(visible(addr))
        written.add(addr)
      })
    }
    default:
      return {
        add: (changes) => {
          if (changes.length > 0) out(rows.lines(changes).join('\n'))
        },
        end: () => undefined,
      }
  }
}

function perChange(write: (change: ChangeDoc) => void): HistoryWriter {
  return {
    add: (changes) => {
      for (const change of changes) write(change)
    },
    end: () => undefined,
  }
}

/** One JSON document, of which only some changes are in memory. */
function jsonWriter(head: HistoryHead, out: Out): HistoryWriter {
  const members = (part: object) => prettyJson(part).slice('{\n'.length, -'\n}'.length)
  let last: string | null = null
  return {
    add: (changes) => {
      for (const change of changes) {
        out(last === null ? `{\n${members(head)},\n  "changes": [` : `${last},`)
        last = prettyJson(change).replaceAll(/^/gm, '    ')
      }
    },
    end: (tail) => {
      if (last === null) out(`{\n${members(head)},\n  "changes": [],\n${members(tail)}\n}`)
      else out(`${last}\n  ],\n${members(tail)}\n}`)
    },
  }
}
