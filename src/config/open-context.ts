import { DiscoError } from '../domain/errors.js'
import { type Context, contextNamed, readConfig } from './contexts.js'
import { configFile } from './locations.js'

/** The path of the user's file of contexts. @throws DiscoError USAGE for a user without a home folder */
export function requireConfigFile(env: Readonly<Record<string, string | undefined>>): string {
  const file = configFile(env)
  if (file !== null) return file
  throw new DiscoError('USAGE', 'There is no place for contexts: the user has no home folder', {
    suggestions: ['Set HOME or XDG_CONFIG_HOME'],
  })
}

/** A context of the user's file. @throws DiscoError USAGE */
export async function openContext(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Context> {
  return await contextNamed(await readConfig(requireConfigFile(env)), name)
}
