import type { Command, Interfaces } from '@oclif/core'
import { configFile } from '../../config/locations.js'
import { LAYOUTS } from '../../domain/layouts/index.js'
import { POLICIES } from '../../policies/index.js'
import type { EndpointDoc, EndpointsDoc } from '../endpoints/document.js'
import { TOPIC_NAMES } from '../help/topic-names.js'
import type { MethodsDoc } from '../methods/document.js'
import type { ServicesDoc } from '../services/document.js'
import type { Position } from './expected.js'

/** A word that the shell offers. */
export interface Candidate {
  readonly value: string
  /** Empty if the word needs no description. */
  readonly description: string
}

/**
 * Runs a command of this tool, such as `['ls', 'hello']`, and returns the document that the command prints as JSON.
 * Returns null if no document arrives in time.
 */
export type Ask = (command: readonly string[], position: Position) => Promise<object | null>

/** Conditions of `-l` that are offered for every service. */
const FIELDS = ['version=', 'weight>0', 'weight=0']

/** All candidates for the position, including those that do not match the typed text; null for file names. */
export async function candidatesAt(
  position: Position,
  config: Interfaces.Config,
  env: NodeJS.ProcessEnv,
  ask: Ask,
): Promise<readonly Candidate[] | null> {
  const { expected, service } = position
  const endpoints = async () => (service === undefined ? [] : await endpointsOf(service, position, ask))
  switch (expected.kind) {
    case 'file':
      return null
    case 'nothing':
      return []
    case 'choice':
      return expected.choices.map(plain)
    case 'command':
      return commandsOf(config)
    case 'flag':
      return flagsOf(expected.command, position)
    case 'subject':
      return [...commandsOf(config), ...TOPIC_NAMES.map(plain)]
    case 'layout':
      return LAYOUTS.map(({ name }) => plain(name))
    case 'policy':
      return POLICIES.map(({ name, shortName }) => described(name, name === shortName ? '' : shortName))
    case 'context':
      return await contextsIn(env)
    case 'service':
      return servicesIn(await ask(['ls'], position))
    case 'address':
      return (await endpoints()).map(({ addr, version, weight }) =>
        described(addr, `${version === '' ? '' : `version ${version}, `}weight ${weight}`),
      )
    case 'host':
      return distinct((await endpoints()).map(({ addr }) => addr.replace(/:\d+$/, '')))
    case 'version':
      return distinct((await endpoints()).map(({ version }) => version))
    case 'selector':
      return selectorsOf(await endpoints())
    case 'method':
      return service === undefined ? [] : methodsIn(await ask(['call', service], position))
  }
}

function commandsOf(config: Interfaces.Config): Candidate[] {
  const commands = config.commands.filter(({ id, aliases, hidden }) => !hidden && !aliases.includes(id))
  return commands.map(({ id, summary }) => described(id, summary ?? ''))
}

/** The flags that the command line may still take: a flag that is given is omitted, unless it may be repeated. */
function flagsOf(command: Command.Loadable, { flags: given }: Position): Candidate[] {
  const open = Object.entries(command.flags).filter(
    ([name, flag]) => flag.hidden !== true && (!given.has(name) || (flag.type === 'option' && flag.multiple)),
  )
  return [
    ...open.map(([name, { description = '' }]) => described(`--${name}`, description)),
    described('--help', 'show help'),
  ]
}

async function contextsIn(env: NodeJS.ProcessEnv): Promise<Candidate[]> {
  const file = configFile(env)
  if (file === null) return []
  const { readConfig } = await import('../../config/contexts.js')
  const { contexts } = await readConfig(file)
  return [...contexts.keys()].map(plain)
}

function servicesIn(doc: object | null): Candidate[] {
  const { services = [] } = (doc ?? {}) as Partial<ServicesDoc>
  return services.map(({ service, endpoints }) =>
    described(service, `${endpoints} ${endpoints === 1 ? 'endpoint' : 'endpoints'}`),
  )
}

async function endpointsOf(service: string, position: Position, ask: Ask): Promise<readonly EndpointDoc[]> {
  const { endpoints = [] } = ((await ask(['ls', service], position)) ?? {}) as Partial<EndpointsDoc>
  return endpoints
}

function methodsIn(doc: object | null): Candidate[] {
  const { methods = [] } = (doc ?? {}) as Partial<MethodsDoc>
  return methods.map(({ method, kind }) => described(method, kind.replace('_', ' ')))
}

function selectorsOf(endpoints: readonly EndpointDoc[]): Candidate[] {
  const versions = endpoints.flatMap(({ version }) => (version === '' ? [] : [`version=${version}`]))
  const fields = endpoints.flatMap(({ metadata }) =>
    Object.entries(metadata).map(([name, value]) => `${name}=${value}`),
  )
  return distinct([...FIELDS, ...versions, ...fields])
}

function distinct(values: readonly string[]): Candidate[] {
  return [...new Set(values)].filter((value) => value !== '').map(plain)
}

function plain(value: string): Candidate {
  return described(value, '')
}

function described(value: string, description: string): Candidate {
  return { value, description }
}
