import type { DocumentWriter } from '../output/document-writer.js'
import type { OutputFormat } from '../output/format.js'
import { YAML_WRITER, yamlLines } from '../output/yaml.js'
import { prettyJson, visible } from '../terminal/visible.js'
import type { ChangeDoc, HistoryHead, HistoryTail } from './document.js'
import type { HistoryRows } from './rows.js'

/** Writes the changes of a history in one output format, as they are read. */
export interface HistoryWriter {
  add(changes: readonly ChangeDoc[]): void
  /** Called once, after all changes. */
  end(tail: HistoryTail & Partial<ErrorTail>): void
}

/** The error that ended the history. The JSON document contains it, and is well-formed nevertheless. */
interface ErrorTail {
  readonly error: object
}

type Out = (text: string) => void

interface Outs {
  /** Writes data for programs. */
  readonly out: Out
  /** Writes a text for people. */
  readonly outText: Out
}

export function historyWriter(
  { format, writer }: { readonly format: OutputFormat; readonly writer: DocumentWriter },
  head: HistoryHead,
  rows: HistoryRows,
  { out, outText }: Outs,
): HistoryWriter {
  switch (format) {
    case 'json':
      return writer === YAML_WRITER ? yamlWriter(head, out) : jsonWriter(head, out)
    case 'ndjson':
      return perChange((change) => out(writer.line(change)))
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
          if (changes.length > 0) outText(rows.lines(changes).join('\n'))
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

/** Writes one YAML document without keeping its changes in memory. */
function yamlWriter(head: HistoryHead, out: Out): HistoryWriter {
  let hasBegun = false
  const write = (value: unknown, indent = '') => {
    for (const line of yamlLines(value, indent)) out(line)
  }
  return {
    add: (changes) => {
      if (changes.length === 0) return
      if (!hasBegun) write(head)
      if (!hasBegun) out('changes:')
      hasBegun = true
      write(changes, '  ')
    },
    end: (tail) => write(hasBegun ? tail : { ...head, changes: [], ...tail }),
  }
}

/**
 * Writes one JSON document. Of its changes only the last is kept in memory, until it is known whether a comma follows.
 */
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
