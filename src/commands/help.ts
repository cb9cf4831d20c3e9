import { Flags } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { argument } from '../cli/flags/custom.js'
import { isTopic, TOPIC_NAMES } from '../cli/help/topic-names.js'
import { commandNamed } from '../cli/words/command-line.js'
import { unknownCommand } from '../cli/words/unknown.js'

export interface HelpDoc {
  readonly schema: 'disco.help/v1'
  /** A command or a topic; null for the tool itself. */
  readonly subject: string | null
  readonly text: string
}

/** Width of a page: terminals have at least this many columns. */
const COLUMNS = 80

export default class Help extends DiscoCommand {
  static override readonly readsContexts = false
  static override summary = 'Show help on a command or a topic'
  static override description =
    'The same as disco COMMAND --help and disco COMMAND -h. Topics: exit-codes, environment, targets, policies, layouts, selectors, findings; the codes of doctor, such as D001, are pages as well. A name that is both a command and a topic shows the topic.'
  static override examples = ['<%= config.bin %> help ls', '<%= config.bin %> help exit-codes']
  static override args = {
    subject: argument({ description: 'a command or a topic; without one, all are listed' }),
  }

  static override flags = {
    command: Flags.boolean({ description: 'show the command if a topic has the same name' }),
  }

  async run(): Promise<HelpDoc> {
    const { args, flags } = await this.parse(Help)
    const subject = args.subject ?? null
    const text = await this.textOn(subject, flags.command)
    const doc: HelpDoc = { schema: 'disco.help/v1', subject, text }
    return this.print(flags, doc, {
      table: () => doc.text,
      lines: () => [doc],
      names: () => (subject === null ? this.config.commands.map(({ id }) => id) : [subject]),
    })
  }

  /** @throws DiscoError USAGE for a name that is neither a command nor a topic */
  private async textOn(subject: string | null, isCommand: boolean): Promise<string> {
    const { commandHelp, rootHelp, wrapLines } = await import('../cli/help/tool-help.js')
    if (subject === null) return await rootHelp(this.config)
    const command = commandNamed(subject, this.config)
    if (command && (isCommand || !isTopic(subject))) return await commandHelp(command, this.config)
    const { findingPage, TOPICS } = await import('../cli/help/topics.js')
    if (isTopic(subject)) return wrapLines(TOPICS[subject](), COLUMNS)
    const page = findingPage(subject)
    if (page !== null) return wrapLines(page, COLUMNS)
    const topics = TOPIC_NAMES.map((id) => ({ id, aliases: [] }))
    throw unknownCommand(subject, [], [...this.config.commands, ...topics])
  }
}
