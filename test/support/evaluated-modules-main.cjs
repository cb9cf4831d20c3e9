// Runs command lines of the built tool one after the other, the JSON array in its argument, and reports to the parent
// process which modules of the bundle they evaluated, and which functions they called that load ICU's data: the first
// of them takes 8 to 12 ms.
const { readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')
const { runInThisContext } = require('node:vm')

const BUNDLE = join(__dirname, '../../dist/bundle/disco.cjs')

/** What esbuild wraps around a module calls the only method of an object, whose name is the path of the module. */
const CALLS = ['(0,fn[__getOwnPropNames(fn)[0]])', '(0,cb[__getOwnPropNames(cb)[0]])']

const evaluated = []
const localized = new Set()

for (const name of ['Segmenter', 'NumberFormat', 'DateTimeFormat', 'Collator', 'PluralRules', 'ListFormat']) {
  Intl[name] = new Proxy(Intl[name], {
    construct(target, options) {
      localized.add(name)
      return new target(...options)
    },
  })
}
for (const [{ prototype }, names] of [
  [Number, ['toLocaleString']],
  [Date, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']],
  [String, ['localeCompare']],
]) {
  for (const name of names) {
    const original = prototype[name]
    prototype[name] = function (...options) {
      localized.add(name)
      return original.apply(this, options)
    }
  }
}

let source = readFileSync(BUNDLE, 'latin1')
for (const call of CALLS) {
  if (!source.includes(call)) throw new Error('The bundle wraps its modules in another way')
  const [object] = /\bfn|cb/.exec(call)
  source = source.replace(call, `(__evaluated(${object}),${call})`)
}
const script = `(function (exports, require, module, __filename, __dirname, __evaluated) {${source}\n})`
const bundle = { exports: {} }
runInThisContext(script, { filename: BUNDLE })(
  bundle.exports,
  require,
  bundle,
  BUNDLE,
  dirname(BUNDLE),
  (module) => evaluated.push(...Object.keys(module)),
)
process.on('exit', () => process.send({ evaluated, localized: [...localized] }))
void run(JSON.parse(process.argv[2]))

async function run(lines) {
  const { exit } = process
  // Half a second after its end, a command line exits the process, in which the next ones may still run.
  process.exit = () => undefined
  for (const line of lines) {
    process.argv = [process.execPath, BUNDLE, ...line]
    await bundle.exports.main()
  }
  exit()
}
