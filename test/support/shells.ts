import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unpackPackages } from './debian-packages.js'

const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/disco/shells', import.meta.url))
const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const LIBRARIES = join(FOLDER, 'usr/lib/x86_64-linux-gnu')

const CACHE = join(tmpdir(), 'disco-shell-caches')

/** Time in milliseconds for a shell to draw its suggestions, and for a registry to answer in the background. */
const PATIENCE_MS = 30_000

export type InteractiveShell = 'bash' | 'zsh' | 'fish'

/** A real shell in a tmux terminal of 120 columns and 40 rows. Its `disco` is the tool of this checkout. */
export class ShellTerminal implements Disposable {
  private constructor(
    private readonly folder: string,
    private readonly socket: string,
  ) {}

  /** @param env environment of the shell besides PATH and HOME */
  static open(shell: InteractiveShell, env: Readonly<Record<string, string>>): ShellTerminal {
    fetchShells()
    const folder = mkdtempSync(join(tmpdir(), 'disco-shell-'))
    symlinkSync(RUN, join(folder, 'disco'))
    writeFileSync(join(folder, '.zshrc'), ZSHRC)
    // Without this folder, the first fish would read all manual pages of the system.
    mkdirSync(join(folder, '.local/share/fish/generated_completions'), { recursive: true })
    const terminal = new ShellTerminal(folder, join(folder, 'tmux'))
    const settings = {
      PATH: `${folder}:${process.env.PATH}`,
      HOME: folder,
      ZDOTDIR: folder,
      // Nothing writes to the folder during its removal: the shell keeps no history, and cached answers are elsewhere.
      HISTFILE: '',
      fish_history: '',
      XDG_CACHE_HOME: join(CACHE, basename(folder)),
      LC_ALL: 'C.UTF-8',
      LD_LIBRARY_PATH: LIBRARIES,
      ...env,
    }
    const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    terminal.tmux('new-session', '-d', '-x', '120', '-y', '40', 'env', ...words, ...COMMANDS[shell])
    return terminal
  }

  /** Types text, in which `\t` stands for Tab and `\n` for Enter. */
  type(text: string): void {
    this.tmux('send-keys', '-l', text)
  }

  /** Deletes the typed line. */
  clear(): void {
    this.tmux('send-keys', 'C-u')
    this.tmux('send-keys', 'C-l')
  }

  get screen(): string {
    return this.tmux('capture-pane', '-p').trimEnd()
  }

  /**
   * Types text and presses Tab until the screen shows the expected text, because the first answer may arrive after the
   * time limit of completion.
   *
   * @throws Error with the content of the screen
   */
  async completes(text: string, expected: RegExp): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      this.clear()
      await delay(300)
      this.type(`${text}\t`)
      for (let checks = 0; checks < 10; checks++) {
        await delay(200)
        if (expected.test(this.screen)) return
      }
      this.type('\t')
      await delay(500)
      if (expected.test(this.screen)) return
      if (performance.now() > end) throw new Error(`Tab after "${text}" shows:\n${this.screen}`)
    }
  }

  [Symbol.dispose](): void {
    this.tmux('kill-server')
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  private tmux(...args: string[]): string {
    const own = join(FOLDER, 'usr/bin/tmux')
    const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: LIBRARIES }
    return execFileSync(existsSync(own) ? own : 'tmux', ['-f', '/dev/null', '-S', this.socket, ...args], {
      encoding: 'utf8',
      env,
    })
  }
}

const COMMANDS: Readonly<Record<InteractiveShell, readonly string[]>> = {
  bash: ['bash', '--norc', '--noprofile', '-i'],
  zsh: [join(FOLDER, 'bin/zsh'), '-i'],
  fish: [join(FOLDER, 'usr/bin/fish'), '-i'],
}

/** Settings for an unpacked zsh, which does not find its modules and functions by itself. */
const ZSHRC = `
module_path=(${LIBRARIES}/zsh/*(/))
fpath=(${FOLDER}/usr/share/zsh/functions/**/*(/N) ${FOLDER}/usr/share/zsh/functions)
autoload -Uz compinit && compinit -u -D
PROMPT='$ '
`

function fetchShells(): void {
  if (existsSync(FOLDER)) return
  unpackPackages({ names: ['tmux', 'zsh', 'zsh-common', 'fish', 'fish-common'], complete: true }, FOLDER)
  // fish expects its configuration beside its own folder.
  symlinkSync('../etc', join(FOLDER, 'usr/etc'))
}
