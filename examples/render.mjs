// Writes a file from a template and the list of `disco watch --exec`:
//
//   disco watch hello --latest --exec 'node render.mjs TEMPLATE FILE [--check CMD] [--reload CMD]'
//
// Lines between #each and #end are repeated for each endpoint, with {addr}, {host}, {port}, {service}, {version},
// {weight}, {weight256} (at most 256, in the same ratio) and {index}. The CMD of --check finds the path of the new file
// in $FILE; FILE is replaced only if CMD exits with 0. The CMD of --reload runs after FILE was replaced.
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'string' }, reload: { type: 'string' } },
})
const [template, file] = positionals
if (!template || !file) throw new Error('needs TEMPLATE and FILE')

/** Anyone who can register can choose these texts, so only characters without meaning in a configuration file pass. */
const SAFE = /^[\w.:+[\]-]*$/

const endpoints = readEndpoints(JSON.parse(readFileSync(process.env.DISCO_SNAPSHOT_FILE, 'utf8')))
const text = render(readFileSync(template, 'utf8'), endpoints)
if (text !== readOr(file, null)) replace(file, text)

/** The dialable endpoints of one service or of several. */
function readEndpoints(list) {
  const services = list.services ?? [list]
  const all = services.flatMap(({ service, weightsUnset, endpoints }) =>
    endpoints
      .filter(({ problem }) => problem === null)
      .map(({ addr, version, weight }) => ({ service, addr, version, weight: weightsUnset ? 1 : weight })),
  )
  const heaviest = Math.max(256, ...all.map(({ weight }) => weight))
  return all.filter(isSafe).map((endpoint, index) => ({
    ...endpoint,
    ...splitAddress(endpoint.addr),
    index: index + 1,
    weight256: Math.ceil((endpoint.weight * 256) / heaviest),
  }))
}

function isSafe({ service, addr, version }) {
  const isPlain = [service, addr, version].every((value) => SAFE.test(value))
  if (!isPlain) console.error(`left out: ${JSON.stringify([service, addr, version])}`)
  return isPlain
}

function splitAddress(addr) {
  const [, host = addr, port = ''] = /^(.*):(\d+)$/.exec(addr) ?? []
  return { host, port }
}

function render(template, endpoints) {
  const fill = (text, endpoint) => text.replaceAll(/\{(\w+)\}/g, (whole, name) => endpoint[name] ?? whole)
  return template.replaceAll(/^#each\n(.*?)^#end\n/gms, (_, each) =>
    endpoints.map((endpoint) => fill(each, endpoint)).join(''),
  )
}

/** Replaces the file atomically, if the check passes. */
function replace(file, text) {
  const next = `${file}.new`
  writeFileSync(next, text)
  try {
    if (values.check) run(values.check, next)
    renameSync(next, file)
  } finally {
    rmSync(next, { force: true })
  }
  if (values.reload) run(values.reload, file)
}

function run(command, file) {
  execFileSync('sh', ['-c', command], { stdio: 'inherit', env: { ...process.env, FILE: file } })
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return otherwise
    throw error
  }
}
