import type { Context } from '../config/contexts.js'
import { DiscoError } from '../domain/errors.js'
import type { NamedFile } from '../domain/file-source.js'
import { AUTO, type Place } from '../domain/layouts/reader.js'
import { type EtcdOptions, memberUrls } from '../etcd/options.js'
import {
  CREDENTIALS,
  type Environment,
  type EtcdMembers,
  type Given,
  withEnvironment,
} from './environment.js'

/** Options of a program that may name a context of the user's file. */
export interface ContextOption {
  /**
   * Name of a context (`disco context add`), which gives endpoints, credentials, timeouts, layout and root. Other
   * options take precedence over its timeouts, layout and root; environment variables are ignored. By default no
   * context is read.
   */
  readonly context?: string | undefined
}

/** Checks the members of etcd. @throws DiscoError USAGE for endpoints that are not valid addresses or URLs */
export function checkMembers(members: EtcdMembers, wantsTls: boolean): void {
  memberUrls(members, wantsTls)
}

/** Connection settings of a context. Without a password if its variable is not set: see {@link requirePassword}. */
export function connectionOf(
  { label, settings }: Pick<Context, 'label' | 'settings'>,
  env: Environment,
): Given<EtcdOptions> & EtcdMembers {
  return {
    endpoints: settings.endpoints ?? [],
    endpointsSource: label,
    caFile: fileOf(settings.cacert, label),
    certFile: fileOf(settings.cert, label),
    keyFile: fileOf(settings.key, label),
    user: settings.user,
    passwordFile: fileOf(settings['password-file'], label),
    password: settings.password ?? variableOf(settings['password-env'], env),
    dialTimeoutMs: settings['dial-timeout'],
    commandTimeoutMs: settings['command-timeout'],
  }
}

function fileOf(path: string | undefined, source: string): NamedFile | undefined {
  return path === undefined ? undefined : { path, source }
}

function variableOf(name: string | undefined, env: Environment): string | undefined {
  return (name !== undefined && env[name]) || undefined
}

/** The problem of a context whose password variable is not set; null if it is set, or the context names none. */
export function missingPassword(
  { label, settings: { 'password-env': name } }: Pick<Context, 'label' | 'settings'>,
  env: Environment,
): string | null {
  if (name === undefined || env[name]) return null
  return `The variable ${name} is not set: ${label} takes its password from there`
}

/** @throws DiscoError USAGE for a password whose variable is not set */
export function requirePassword(context: Pick<Context, 'label' | 'settings'>, env: Environment): void {
  const missing = missingPassword(context, env)
  if (missing !== null) throw new DiscoError('USAGE', missing)
}

/**
 * The options of a program, completed from their context; without a context, from the environment.
 *
 * @throws DiscoError USAGE for an unknown context, for a context together with endpoints or credentials, for a file that
 *   cannot be read or holds a secret that other users can read, and as `withEnvironment` does
 */
export async function withContext<Options extends Given<EtcdOptions> & Place & ContextOption>(
  options: Options,
  env: Environment,
): Promise<Options & EtcdMembers> {
  if (options.context === undefined) return withEnvironment(options, env)
  const other = (['endpoints', ...CREDENTIALS] as const).find((name) => options[name] !== undefined)
  if (other !== undefined) {
    throw new DiscoError('USAGE', `The options context and ${other} exclude each other`)
  }
  const { openContext } = await import('../config/contexts.js')
  const context = await openContext(options.context, env)
  requirePassword(context, env)
  const connection = connectionOf(context, env)
  return {
    ...options,
    ...connection,
    dialTimeoutMs: options.dialTimeoutMs ?? connection.dialTimeoutMs,
    commandTimeoutMs: options.commandTimeoutMs ?? connection.commandTimeoutMs,
    layout: options.layout ?? programLayout(context),
    root: options.root ?? context.settings.root,
  }
}

/** The layout of a context for a program. `auto` is only for the tool: a program reads the default layout instead. */
function programLayout({ settings: { layout } }: Context): string | undefined {
  return layout === AUTO ? undefined : layout
}
