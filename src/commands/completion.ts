import { renameSync, rmSync } from 'node:fs'
import { Flags } from '@oclif/core'
import { DiscoCommand } from '../cli/base-command.js'
import { draftOf, removeUnusable } from '../cli/completion/cached-run.js'
import { completionLines } from '../cli/completion/complete.js'
import { INSTALL, SCRIPTS, SHELLS, type Shell } from '../cli/completion/scripts.js'
import { argument } from '../cli/flags/custom.js'
import { commandNamed } from '../cli/words/command-line.js'
import { DiscoError } from '../domain/errors.js'
import { nameSuggestions } from '../domain/nearest.js'

export interface CompletionDoc {
  readonly schema: 'disco.completion/v1'
  readonly shell: Shell
  readonly script: string
  /** A command line that installs the script. */
  readonly install: string
}

export default class Completion extends DiscoCommand {
  static override readonly readsContexts = false
  static override strict = false
  static override summary = 'Print a script that completes command lines of disco'
  static override description =
    'For bash, zsh, fish and powershell: commands, flags, services, addresses, versions, methods, policies, layouts and contexts. Names from the registry come from a cache, which is refreshed in the background after 5 s. While etcd is unreachable, completion offers the cached names, and prints no error.'
  static override usage = '<%= command.id %> bash|zsh|fish|powershell'
  static override examples = ['<%= config.bin %> completion bash', '<%= config.bin %> completion zsh']
  static override args = {
    shell: argument({ description: 'bash, zsh, fish or powershell' }),
  }
  static override flags = {
    line: Flags.string({ hidden: true, description: 'the command line to complete, up to the cursor' }),
    breaks: Flags.string({ hidden: true, description: 'characters at which bash begins a word' }),
    refresh: Flags.string({ hidden: true, description: 'the file for the document of the command after --' }),
  }

  async run(): Promise<CompletionDoc | undefined> {
    const { args, flags, argv } = await this.parse(Completion)
    if (flags.refresh !== undefined) return await this.refresh(flags.refresh, argv as string[])
    const shell = shellOf(args.shell)
    if (flags.line !== undefined) {
      const lines = await completionLines(shell, flags.line, { config: this.config, breaks: flags.breaks })
      for (const line of lines) this.out(line)
      return undefined
    }
    const doc: CompletionDoc = {
      schema: 'disco.completion/v1',
      shell,
      script: SCRIPTS[shell],
      install: INSTALL[shell],
    }
    if (process.stdout.isTTY) this.remark(`To install it: ${doc.install}`)
    return this.print(flags, doc, {
      table: () => doc.script,
      lines: () => [doc],
      names: () => [shell],
    })
  }

  /** Runs another command, whose standard output is a draft. The draft replaces the file if the command succeeds. */
  private async refresh(file: string, argv: readonly string[]): Promise<undefined> {
    const [name = '', ...own] = argv
    try {
      await (await commandNamed(name, this.config)?.load())?.run(own, this.config)
      await this.output.flushed()
      if (!process.exitCode) renameSync(draftOf(file), file)
    } finally {
      rmSync(draftOf(file), { force: true })
      removeUnusable(file)
    }
    return undefined
  }
}

/** @throws DiscoError USAGE if the shell is missing or unknown */
function shellOf(text: string | undefined): Shell {
  const shell = SHELLS.find((known) => known === text)
  if (shell !== undefined) return shell
  if (text === undefined) {
    throw new DiscoError('USAGE', 'disco completion needs the name of a shell', {
      suggestions: [`One of ${SHELLS.join(', ')}. Such as: source <(disco completion bash)`],
    })
  }
  throw new DiscoError('USAGE', `Unknown shell "${text}"`, {
    suggestions: nameSuggestions(text, SHELLS),
  })
}
