import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

export const PROJECT_FILE = '.disco.yaml'

/**
 * The user's file of contexts: below XDG_CONFIG_HOME (the XDG Base Directory Specification ignores relative paths), on
 * Windows below APPDATA, otherwise below ~/.config. Null if the user has no home folder.
 */
export function configFile(env: Environment, platform: NodeJS.Platform = process.platform): string | null {
  const { XDG_CONFIG_HOME: configHome = '', APPDATA: appData = '' } = env
  if (isAbsolute(configHome)) return join(configHome, 'disco', 'config.yaml')
  if (platform === 'win32' && isAbsolute(appData)) return join(appData, 'disco', 'config.yaml')
  const home = homeFolder()
  return home === null ? null : join(home, '.config', 'disco', 'config.yaml')
}

/** The path of the nearest project file, in this folder or above; null if there is none. */
export function projectFile(folder: string): string | null {
  const file = join(folder, PROJECT_FILE)
  if (existsSync(file)) return file
  const parent = dirname(folder)
  return parent === folder ? null : projectFile(parent)
}

/**
 * The user's home folder; null if it is unknown. `homedir` throws if HOME is not set and the system has no entry for
 * the user.
 */
export function homeFolder(): string | null {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : null
  } catch {
    return null
  }
}
