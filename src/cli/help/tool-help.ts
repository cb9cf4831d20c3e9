import { type Command, CommandHelp, Help, type Interfaces } from '@oclif/core'
import { variablesOf } from './environment.js'
import { EXITS, exitsOf } from './exit-codes.js'
import { TOPIC_SUMMARIES } from './topic-names.js'

/** The number of examples at the top of the help. */
const FIRST_EXAMPLES = 2

/** The indentation of a section's body. */
const INDENT = 2

/** The first two commands to try, even on a machine without a registry. */
const ROOT_EXAMPLES = ['disco dev', 'disco ls hello']

const LAYOUT = {
  docopts: false,
  hideAliasesFromRoot: true,
  hideCommandSummaryInDescription: true,
  // Under --json, help is a text in a document.
  stripAnsi: true,
}

/** Skips texts without a template tag: oclif would compile a function for each text. */
function templatesOnly(render: (text: string) => string): (text: string) => string {
  return (text) => (text.includes('<%') ? render(text) : text)
}

/** Examples first; exit codes and environment last. */
class OwnCommandHelp extends CommandHelp {
  protected override sections() {
    const [examples, more] = [
      this.command.examples?.slice(0, FIRST_EXAMPLES),
      this.command.examples?.slice(FIRST_EXAMPLES),
    ]
    const others = super.sections().filter(({ header }) => header !== 'EXAMPLES')
    return [
      { header: 'EXAMPLES', generate: () => this.examples(examples) },
      ...others,
      { header: 'MORE EXAMPLES', generate: () => this.examples(more) },
      { header: 'EXIT CODES', generate: () => this.list(exitsOf(this.command.id)) },
      {
        header: 'ENVIRONMENT',
        generate: () => `${this.list(variablesOf(this.command.id))}\nAll: disco help environment`,
      },
    ]
  }

  private list(pairs: readonly (readonly [string, string])[]): string {
    return this.renderList(
      pairs.map(([name, meaning]) => [name, meaning]),
      { indentation: INDENT, spacer: '\n', stripAnsi: true },
    )
  }
}

/** Returns the help as text, which oclif's own class would print. */
class OwnHelp extends Help {
  protected override CommandHelpClass = OwnCommandHelp
  private readonly lines: string[] = []

  constructor(config: Interfaces.Config) {
    super(config, LAYOUT)
    // oclif wraps some texts to the width of the terminal before it indents them.
    this.opts = { ...this.opts, maxWidth: this.opts.maxWidth - INDENT }
    this.render = templatesOnly(this.render)
  }

  protected override log(...texts: string[]): void {
    this.lines.push(...texts)
  }

  async root(): Promise<string> {
    await this.showRootHelp()
    const sections = [
      this.section('TOPICS', this.list(Object.entries(TOPIC_SUMMARIES))),
      this.section('EXAMPLES', ROOT_EXAMPLES.map((example) => `$ ${example}`).join('\n')),
      this.section('EXIT CODES', this.list(EXITS)),
      this.section('ENVIRONMENT', `${this.list(variablesOf(''))}\nAll: disco help environment`),
      'More on a command: disco COMMAND --help; on a topic: disco help TOPIC',
    ]
    return [...this.lines, sections.join('\n\n')].join('\n')
  }

  private list(pairs: readonly (readonly [string, string])[]): string {
    return this.renderList(
      pairs.map(([name, meaning]) => [name, meaning]),
      { indentation: INDENT, spacer: '\n', stripAnsi: true },
    )
  }

  async on(command: Command.Loadable): Promise<string> {
    await this.showCommandHelp(command)
    return this.lines.join('\n').trimEnd()
  }
}

/** Help on the tool: its commands, topics, exit codes and environment. */
export function rootHelp(config: Interfaces.Config): Promise<string> {
  return new OwnHelp(config).root()
}

export function commandHelp(command: Command.Loadable, config: Interfaces.Config): Promise<string> {
  return new OwnHelp(config).on(command)
}

/** The start of a two-column line: indent, first column, and the spaces before the second. */
const FIRST_COLUMN = /^( +\S.*? {2,}|)/

/**
 * Breaks lines between words; the second column of a two-column line continues below itself. A longer word stays
 * whole.
 */
export function wrapLines(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (line.length <= columns ? line : wrapLine(line, columns)))
    .join('\n')
}

function wrapLine(line: string, columns: number): string {
  const [start = ''] = FIRST_COLUMN.exec(line) ?? []
  const lines: string[] = []
  let current = start
  for (const word of line.slice(start.length).split(' ')) {
    const isFirst =
      current.trimEnd() === current.slice(0, start.length).trimEnd() && current.length <= start.length
    const next = isFirst ? current + word : `${current} ${word}`
    if (next.length > columns && !isFirst) {
      lines.push(current)
      current = ' '.repeat(start.length) + word
    } else current = next
  }
  return [...lines, current].join('\n')
}
