import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { constants, Script } from 'node:vm'
import { CodeCache } from './code-cache.js'

/** Exports of the bundle. */
interface Bundle {
  main(): Promise<void>
}

/** The function that Node wraps around a CommonJS module. */
type Wrapper = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: Bundle },
  file: string,
  folder: string,
) => void

/**
 * Runs the bundle, a CommonJS file in ASCII, as the command line of this process.
 *
 * Without a cache, a short command would spend most of its time compiling. A run that succeeds writes its compiled code
 * to the user's cache folder, for the next run of the same command.
 */
export function start(bundle: string, load: NodeJS.Require): void {
  const own = ownArguments(process.argv.slice(2))
  if (own.includes('--debug')) {
    process.setSourceMapsEnabled(true)
    void (load(bundle) as Bundle).main()
    return
  }
  // Warnings of Node and grpc-js about our dependencies are for debugging only.
  process.removeAllListeners('warning')
  process.env.GRPC_VERBOSITY ??= 'NONE'
  const source = readFileSync(bundle)
  const cache = CodeCache.of(source, partOf(own), process.env)
  const module = { exports: {} as Bundle }
  compile(source, bundle, cache)(module.exports, load, module, bundle, dirname(bundle))
  void module.exports.main()
}

function compile(source: Buffer, bundle: string, cache: CodeCache | null): Wrapper {
  const cachedData = cache?.read()
  const script = new Script(
    `(function (exports, require, module, __filename, __dirname) {${source.toString('latin1')}\n})`,
    {
      filename: bundle,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      ...(cachedData && { cachedData }),
    },
  )
  if (cache !== null && (cachedData === undefined || script.cachedDataRejected)) {
    // At exit, because only functions that were called are compiled. A failed run has called too few of them.
    process.on('exit', (code) => {
      if (code === 0) cache.write(script.createCachedData())
    })
  }
  return script.runInThisContext()
}

/** The arguments before `--`. Those after it belong to a command that the tool starts. */
function ownArguments(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--')
  return end < 0 ? words : words.slice(0, end)
}

/** The name of the command, `help` or `other`: runs with the same part call about the same functions. */
function partOf(words: readonly string[]): string {
  const [first = 'help'] = words
  if (words.includes('--help') || words.includes('-h')) return 'help'
  return /^[a-z][a-z-]{0,31}$/.test(first) ? first : 'other'
}
