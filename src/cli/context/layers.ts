import type { Context } from '../../config/contexts.js'
import { configFile, projectFile } from '../../config/locations.js'
import type { Project } from '../../config/project.js'
import { DiscoError } from '../../domain/errors.js'
import { type Environment, variable } from '../../registry/environment.js'
import type { EtcdFlags, PlaceFlags } from '../flags/base.js'

export type SettingFlags = Partial<EtcdFlags & PlaceFlags>

/** The sources of settings, in order of precedence. */
export interface Layers {
  readonly flags: SettingFlags
  /** The context of `-C`. */
  readonly named: Context | null
  readonly env: Environment
  readonly project: Project | null
  /** The context that the project file names, or that `disco context use` has chosen. */
  readonly chosen: Context | null
  /** A sentence for each file that is ignored. */
  readonly warnings: readonly string[]
}

/**
 * Reads the files with settings. The file with contexts is not read if a flag or a variable names endpoints, unless
 * `-C` names a context. The parser is loaded only if a file exists.
 *
 * @param folder where the search for a project file starts; null for no search
 * @throws DiscoError USAGE for an invalid file, with line and column; for an unknown context; for a project file that
 *   is not trusted
 */
export async function readLayers(
  flags: SettingFlags,
  env: Environment,
  folder: string | null,
): Promise<Layers> {
  const hasEndpoints = flags.endpoints !== undefined || variable('endpoints', env) !== undefined
  const isSettled = flags.context !== undefined || hasEndpoints
  const { project, warnings } = await readOwnProject(folder, env, isSettled)
  const layers = { flags, env, project, warnings }
  if (flags.context !== undefined) {
    const { openContext } = await import('../../config/contexts.js')
    return { ...layers, named: await openContext(flags.context.text, env), chosen: null }
  }
  const hasConnection = hasEndpoints || project?.settings.endpoints !== undefined
  return { ...layers, named: null, chosen: hasConnection ? null : await chosenContext(project, env) }
}

async function chosenContext(project: Project | null, env: Environment): Promise<Context | null> {
  const file = configFile(env)
  if (file === null && project?.context == null) return null
  const { existsSync } = await import('node:fs')
  if (project?.context == null && file !== null && !existsSync(file)) return null
  const { contextNamed, readConfig, requireConfigFile } = await import('../../config/contexts.js')
  const config = await readConfig(requireConfigFile(env))
  if (project?.context != null) return await contextNamed(config, project.context, project.file)
  return config.use === null ? null : await contextNamed(config, config.use, config.file)
}

/**
 * Reads the project file, unless another user can write to it: that user could direct commands and credentials to
 * another cluster.
 */
async function readOwnProject(
  folder: string | null,
  env: Environment,
  isSettled: boolean,
): Promise<Pick<Layers, 'project' | 'warnings'>> {
  const file = folder === null ? null : projectFile(folder)
  if (file === null) return { project: null, warnings: [] }
  const { foreignFileProblem } = await import('../../config/text-file.js')
  const problem = await foreignFileProblem(file, env)
  if (problem === null) {
    const { readProject } = await import('../../config/project.js')
    return { project: await readProject(file), warnings: [] }
  }
  if (isSettled) return { project: null, warnings: [`${file} is ignored: ${problem}`] }
  throw new DiscoError('USAGE', `${file} is not used: ${problem}`, {
    suggestions: [
      'Name the cluster: -C NAME or --endpoints HOST:PORT',
      'Or make the file and its folder your own',
    ],
  })
}
