import type { Context } from '../../config/contexts.js'
import { variable } from '../../registry/environment.js'
import type { Layers } from './layers.js'

/**
 * The context or project that determines the cluster; null if a flag, a variable or the default names the endpoints.
 *
 * Credentials have the same source as the endpoints: those of one cluster are never sent to another. Only flags
 * override single credentials of a context, since the user gave them for this command.
 */
export function connectionContext({ flags, named, env, project, chosen }: Layers): Context | null {
  if (flags.endpoints !== undefined) return null
  if (named !== null) return named
  if (variable('endpoints', env) !== undefined) return null
  return project?.settings.endpoints === undefined ? chosen : project
}

/** A setting other than the connection: time, layout or root. */
type FreeSetting = 'dial-timeout' | 'command-timeout' | 'layout' | 'root'

type FreeValue<Name extends FreeSetting> = NonNullable<Context['settings'][Name]>

/** The setting in the context of `-C`, which takes precedence over variables. */
export function overVariables<Name extends FreeSetting>(
  { named }: Layers,
  name: Name,
): SettingValue<FreeValue<Name>> | undefined {
  return settingOf(named, name)
}

/** The setting in the project file, or else in the chosen context. Variables take precedence over both. */
export function underVariables<Name extends FreeSetting>(
  { project, chosen }: Layers,
  name: Name,
): SettingValue<FreeValue<Name>> | undefined {
  return settingOf(project, name) ?? settingOf(chosen, name)
}

/** A value, and the name of its source for messages. */
export interface SettingValue<Value> {
  readonly value: Value
  readonly source: string
}

function settingOf<Name extends FreeSetting>(
  context: Context | null,
  name: Name,
): SettingValue<FreeValue<Name>> | undefined {
  const value = context?.settings[name]
  if (context === null || value === undefined || value === null) return undefined
  return { value: value as FreeValue<Name>, source: context.label }
}

/**
 * The name, for messages, of the production cluster that a command would change; null if the cluster is not marked as
 * production. A project can mark the context that it names, but not unmark it.
 */
export function productionLabel(layers: Layers): string | null {
  const { named, project, chosen } = layers
  const context = connectionContext(layers)
  const isProjects = context !== null && (context === project || context === chosen)
  const marked = [named, context].find((each) => each?.settings.production)
  if (marked) return marked.label
  return isProjects && project?.settings.production ? context.label : null
}

/** The source of a setting, for display: a flag, context or variable, or `the default`. */
export function sourceOfFree(layers: Layers, name: FreeSetting): string {
  const { flags, env } = layers
  if (flags[name] !== undefined) return `--${name}`
  const over = overVariables(layers, name)
  if (over) return over.source
  const [, set] = variable(name, env) ?? []
  return set ?? underVariables(layers, name)?.source ?? 'the default'
}
