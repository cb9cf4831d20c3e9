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
   * Name of a context (`disco context add`), which then gives endpoints, credentials, timeouts, layout and root; other
   * options win over its timeouts, layout and root. No variable counts then. Without it, no file is read.
   */
  readonly context?: string | undefined
}

/** @throws DiscoError USAGE for endpoints that no connection can be made to */
export function checkMembers(members: EtcdMembers, wantsTls: boolean): void {
  memberUrls(members, wantsTls)
}

/** The connection of a context. A password whose variable is not set is left out; see {@link requirePassword}. */
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

/** Why a context has no password although it names a variable for it; null if that is set, or none is named. */
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
 * The options of a program: of the context that they name, else as `withEnvironment` has them.
 *
 * @throws DiscoError USAGE for an unknown context, for a context beside endpoints or credentials, for a file that
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

/** A program dials in one layout: `auto` of a context is for looking. */
function programLayout({ settings: { layout } }: Context): string | undefined {
  return layout === AUTO ? undefined : layout
}
