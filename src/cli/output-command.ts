import { Command } from '@oclif/core'
import type { BaseFlags } from './flags/base.js'
import { type DocumentWriter, JSON_WRITER } from './output/document-writer.js'
import type { OutputFormat } from './output/format.js'
import type { LineOutput } from './output/line-output.js'
import { Progress } from './output/progress.js'
import { writeRemark } from './output/remark.js'
import { standardOutput } from './output/standard-output.js'
import { ofAnyWidth, type Palette, paletteFor } from './terminal/color.js'
import { visible } from './terminal/visible.js'
import { presented } from './terminal/wrap.js'

/** Renders the data of a command in the formats other than `json`. */
export interface Printers {
  table(palette: Palette, wide: boolean): string
  /** One JSON document per line. */
  lines(): readonly object[]
  /** One name per line, for scripts. */
  names(): readonly string[]
}

/** The output of a view: data on standard output, remarks on standard error, each with the palette of its stream. */
export interface ViewOutput {
  readonly format: OutputFormat
  readonly writer: DocumentWriter
  readonly palette: Palette
  readonly remarkPalette: Palette
  /** Writes data for programs. */
  out(line: string): void
  /** Writes a text for people. */
  outText(text: string): void
  /** Backpressure of `out`. */
  readonly reader: Pick<LineOutput, 'isBehind' | 'drained'>
  remark(line: string): void
}

/** Base of commands that print: data for programs, and texts and remarks for people, according to stream and flags. */
export abstract class OutputCommand extends Command {
  /** Null until the flags have been read. */
  private ownProgress: Progress | null = null

  protected format(flags: BaseFlags, fallback: OutputFormat = 'table'): OutputFormat {
    return flags.json ? 'json' : (flags.output?.format ?? fallback)
  }

  /** The writer of documents: JSON, unless `-o` selects YAML or a template. */
  protected writer(flags: BaseFlags): DocumentWriter {
    return flags.json ? JSON_WRITER : (flags.output?.writer ?? JSON_WRITER)
  }

  protected palette(flags: BaseFlags, stream: NodeJS.WriteStream = process.stdout): Palette {
    const palette = paletteFor(stream, flags.color, process.env)
    // `-o wide` shows all columns, whatever the width of the terminal.
    return flags.output?.format === 'wide' ? ofAnyWidth(palette) : palette
  }

  protected viewOutput(flags: BaseFlags): ViewOutput {
    return {
      format: this.format(flags),
      writer: this.writer(flags),
      palette: this.palette(flags),
      remarkPalette: this.palette(flags, process.stderr),
      out: (line) => this.out(line),
      outText: (text) => this.outText(flags, text),
      reader: this.output,
      remark: (line) => this.remark(line),
    }
  }

  /** Prints data on standard output and returns it. */
  protected print<Data extends object>(flags: BaseFlags, data: Data, printers: Printers): Data {
    const format = this.format(flags)
    const writer = this.writer(flags)
    if (format === 'json') for (const lines of writer.documentLines(data)) this.out(lines)
    else if (format === 'ndjson') {
      const documents = printers.lines()
      writer.check?.(documents)
      for (const document of documents) this.out(writer.line(document))
    } else if (format === 'name') for (const name of printers.names()) this.out(visible(name))
    else this.outText(flags, printers.table(this.palette(flags), format === 'wide'))
    return data
  }

  /** Creates the progress line. The output format in the flags determines whether it is shown. */
  protected beginProgress(flags: BaseFlags): void {
    this.ownProgress = Progress.for(this.format(flags))
  }

  /** The line that shows a wait; the next output ends it. */
  protected get progressLine(): Progress {
    this.ownProgress ??= Progress.for('table')
    return this.ownProgress
  }

  /** Standard output. Long-running commands wait while its reader is slow, and end when the reader has closed it. */
  protected get output(): LineOutput {
    return standardOutput()
  }

  /** Writes data for programs. It is the same in every locale and on every terminal. */
  protected out(line: string): void {
    this.output.writeLine(line)
  }

  /** Writes a text for people to standard output. */
  protected outText(flags: BaseFlags, text: string): void {
    this.out(presented(text, this.palette(flags)))
  }

  /** Writes a remark for people to standard error: standard output is only for data. */
  protected remark(line: string): void {
    writeRemark(line)
  }
}
