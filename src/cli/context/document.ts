import type { Config, Context } from '../../config/contexts.js'
import { withoutSecrets } from '../../domain/address.js'
import { pathOf, sourceName } from '../../domain/file-source.js'
import {
  countedVariables,
  type EtcdMembers,
  type FullPlace,
  type Given,
  variable,
} from '../../registry/environment.js'
import type { EtcdOptions } from '../../registry/registry.js'
import { durationText } from '../flags/duration.js'
import type { Layers } from './layers.js'
import { connectionContext, productionLabel, sourceOfFree } from './settings.js'

export interface ContextRow {
  readonly name: string
  /** Whether `disco context use` chose it. */
  readonly inUse: boolean
  readonly endpoints: readonly string[]
  readonly user: string | null
  readonly root: string | null
  readonly layout: string | null
  readonly production: boolean
}

export interface ContextsDoc {
  readonly schema: 'disco.contexts/v1'
  readonly file: string
  readonly contexts: readonly ContextRow[]
}

export function contextsDoc({ file, use, contexts }: Config): ContextsDoc {
  return {
    schema: 'disco.contexts/v1',
    file,
    contexts: [...contexts].map(([name, { settings }]) => ({
      name,
      inUse: name === use,
      endpoints: (settings.endpoints ?? []).map(withoutSecrets),
      user: settings.user ?? null,
      root: settings.root ?? null,
      layout: settings.layout ?? null,
      production: settings.production ?? false,
    })),
  }
}

export interface SettingRow {
  readonly setting: string
  /** Null if the setting is not set, and for a password. */
  readonly value: string | null
  /** The flag, variable, context or file with the value; null if the setting is not set. */
  readonly source: string | null
}

export interface SettingsDoc {
  readonly schema: 'disco.context/v1'
  /** The context that names the endpoints; null if another source does. */
  readonly context: string | null
  readonly production: boolean
  readonly settings: readonly SettingRow[]
  /** Variables that are set but ignored, because they belong to another cluster. */
  readonly unused: readonly string[]
}

/** The settings of a connection, with the source of each. Passwords are omitted. */
export function settingsDoc(
  layers: Layers,
  options: Given<EtcdOptions> & EtcdMembers,
  place: FullPlace,
): SettingsDoc {
  const context = connectionContext(layers)
  const credential = (setting: string, value: string | null | undefined, parts: readonly string[]) =>
    row(setting, value ?? null, sourceOfCredential(layers, context, parts))
  const file = (source: EtcdOptions['caFile']) =>
    source === undefined ? undefined : (pathOf(source) ?? sourceName(source))
  const hasPassword = options.password !== undefined || options.passwordFile !== undefined
  return {
    schema: 'disco.context/v1',
    context: context?.name ?? null,
    production: productionLabel(layers) !== null,
    settings: [
      row('endpoints', options.endpoints.map(withoutSecrets).join(','), options.endpointsSource),
      credential('cacert', file(options.caFile), ['cacert']),
      credential('cert', file(options.certFile), ['cert']),
      credential('key', file(options.keyFile), ['key']),
      credential('user', options.user, ['user']),
      {
        setting: 'password',
        value: file(options.passwordFile) ?? null,
        source: hasPassword
          ? sourceOfCredential(layers, context, ['password-file', 'password', 'password-env', 'user'])
          : null,
      },
      row('dial-timeout', timeText(options.dialTimeoutMs), sourceOfFree(layers, 'dial-timeout')),
      row('command-timeout', timeText(options.commandTimeoutMs), sourceOfFree(layers, 'command-timeout')),
      row('root', place.root === '' ? null : place.root, sourceOfFree(layers, 'root')),
      row('layout', place.layout, sourceOfFree(layers, 'layout')),
    ],
    unused: unusedVariables(layers, context),
  }
}

/** A change of the file with contexts. */
export interface ContextChangeDoc {
  readonly schema: 'disco.context-change/v1'
  readonly change: 'added' | 'replaced' | 'used' | 'unused' | 'removed'
  /** The context; null for `unused`. */
  readonly name: string | null
  /** The path of the file. */
  readonly file: string
}

function row(setting: string, value: string | null, source: string | null): SettingRow {
  return { setting, value, source: value === null ? null : source }
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : durationText(ms)
}

/** The flag, context or variable that sets one of `parts`, such as `password-file` or `password`; null if none does. */
function sourceOfCredential(
  layers: Layers,
  context: Context | null,
  parts: readonly string[],
): string | null {
  const flags: Readonly<Record<string, unknown>> = layers.flags
  const flag = parts.find((name) => flags[name] !== undefined)
  if (flag !== undefined) return `--${flag}`
  if (context !== null) return context.label
  const counted = variablesOf(layers)
  return parts.map((name) => variable(name, counted)?.[1]).find((name) => name !== undefined) ?? null
}

function variablesOf({ flags, env }: Layers) {
  return countedVariables(env, flags.endpoints === undefined)
}

const CREDENTIAL_VARIABLES = ['endpoints', 'cacert', 'cert', 'key', 'user', 'password']

function unusedVariables(layers: Layers, context: Context | null): string[] {
  const { env } = layers
  if (context !== null) return CREDENTIAL_VARIABLES.flatMap((name) => variable(name, env)?.[1] ?? [])
  const counted = variablesOf(layers)
  return Object.keys(env).filter((name) => env[name] && !(name in counted))
}
