import type { EndpointEntry, RegistryFileDoc } from '../../domain/registry-file.js'
import type { LineOutput } from '../output/line-output.js'
import { yamlLines } from '../output/yaml.js'
import { prettyJson } from '../terminal/visible.js'

export type FileFormat = 'yaml' | 'json'

/** Number of entries that are formatted and written at a time. */
const ENTRIES_AT_ONCE = 200

/** Writes a registry file piece by piece, so that only a part of a long one is in memory. */
export class RegistryFileWriter {
  private entries = 0

  constructor(
    private readonly output: Pick<LineOutput, 'write' | 'drained' | 'ended'>,
    private readonly format: FileFormat,
    private readonly head: Omit<RegistryFileDoc, 'endpoints' | 'rev'>,
  ) {}

  /** Whether an entry was written. Nothing is written before the first entry. */
  get hasBegun(): boolean {
    return this.entries > 0
  }

  get count(): number {
    return this.entries
  }

  /** @param rev the revision, which the head of the file contains */
  async add(entries: readonly EndpointEntry[], rev: string): Promise<void> {
    for (let at = 0; at < entries.length && !this.output.ended.aborted; at += ENTRIES_AT_ONCE) {
      const part = entries.slice(at, at + ENTRIES_AT_ONCE)
      const before = this.hasBegun ? '' : this.begin(rev)
      this.output.write(before + (this.format === 'json' ? this.asJson(part) : asYaml(part)))
      this.entries += part.length
      await this.output.drained()
    }
  }

  end(): void {
    if (this.format === 'json' && this.hasBegun) this.output.write('\n  ]\n}\n')
  }

  private begin(rev: string): string {
    const { schema, root, selection } = this.head
    const head = { schema, rev, root, selection }
    if (this.format === 'json') return `${prettyJson(head).slice(0, -'\n}'.length)},\n  "endpoints": [\n`
    return `${[...yamlLines(head), 'endpoints:'].join('\n')}\n`
  }

  private asJson(entries: readonly EndpointEntry[]): string {
    // Without the brackets of the list; line breaks within texts are escaped.
    const elements = prettyJson(entries).slice('[\n'.length, -'\n]'.length).replaceAll(/^/gm, '  ')
    return this.hasBegun ? `,\n${elements}` : elements
  }
}

function asYaml(entries: readonly EndpointEntry[]): string {
  const lines: string[] = []
  for (const line of yamlLines(entries, '  ')) lines.push(line)
  return `${lines.join('\n')}\n`
}
