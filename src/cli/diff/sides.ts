import type { Endpoint, Revision } from '../../domain/endpoint.js'
import type { NamedFile } from '../../domain/file-source.js'
import { AUTO } from '../../domain/layouts/reader.js'
import type { Registry } from '../../registry/registry.js'
import { etcdOptions, placeOf } from '../config.js'
import { type Layers, readLayers, type SettingFlags } from '../context/layers.js'
import { refuseEmpty } from '../flags/custom.js'
import { readFileText } from '../registry-file/input.js'
import type { DiffSide, SideDoc } from './document.js'
import { readListFile } from './list-file.js'

/** What is compared: a file, or the name of a context. */
export type Against = NamedFile | string

/** A file is `-`, a path, or a name with a known extension. @throws DiscoError USAGE for an empty text */
export function readAgainst(text: string, flag: string): Against {
  const isFile = text === '-' || text.includes('/') || /\.(ya?ml|json)$/i.test(text)
  return isFile ? { path: text, source: flag } : refuseEmpty(text, flag)
}

/**
 * Reads a service, or all services, from a registry.
 *
 * @throws DiscoError REVISION_UNAVAILABLE
 */
export async function registrySide(
  registry: Registry,
  service: string | undefined,
  named: Pick<SideDoc, 'source' | 'name' | 'root'>,
  revision?: Revision,
): Promise<DiffSide & { readonly revision: Revision }> {
  const list = await registry.list(service, { revision })
  const endpoints = service === undefined ? await ofServices(list.endpoints) : list.endpoints
  const doc = { source: named.source, name: named.name, rev: String(list.revision), root: named.root }
  return { doc, endpoints, isList: false, revision: list.revision }
}

async function ofServices(endpoints: readonly Endpoint[]): Promise<readonly Endpoint[]> {
  const { summarizeServices } = await import('../../registry/service-summary.js')
  return summarizeServices(endpoints).services.flatMap((service) => service.endpoints)
}

/**
 * Reads a service, or all services, from a file of `disco export` or a document of `disco ls --json`.
 *
 * @throws DiscoError USAGE
 */
export async function fileSide(file: NamedFile, service: string | undefined): Promise<DiffSide> {
  const { name, text } = await readFileText(file)
  const list = readListFile(text, name)
  const { rev, root, endpoints } = list ? { ...list, root: '' } : await registryFile(text, name)
  const ofService = endpoints.filter((endpoint) => service === undefined || endpoint.service === service)
  return { doc: { source: 'file', name, rev, root }, endpoints: ofService, isList: list !== null }
}

async function registryFile(text: string, name: string) {
  const { readRegistryFile } = await import('../../registry/file/read.js')
  const { endpointsOfFile } = await import('../../registry/file/keys.js')
  const file = readRegistryFile(text, name)
  return { rev: file.rev, root: file.root, endpoints: endpointsOfFile(file) }
}

/** The settings of another context, but with the timeouts, layout and root of `flags`. @throws DiscoError USAGE */
export async function contextLayers(
  name: string,
  flags: SettingFlags,
  env: NodeJS.ProcessEnv,
): Promise<Layers> {
  const own = {
    context: { text: name, origins: null },
    'dial-timeout': flags['dial-timeout'],
    'command-timeout': flags['command-timeout'],
    layout: flags.layout,
    root: flags.root,
  }
  return await readLayers(own, env, null)
}

/** Opens the registry of a context. */
export async function openContext(layers: Layers, env: NodeJS.ProcessEnv): Promise<Registry> {
  const { Registry } = await import('../../registry/registry.js')
  const { sampleRevisions } = await import('../../registry/revision-sampling.js')
  const registry = await Registry.open({
    ...(await etcdOptions(layers)),
    ...placeOf(layers, AUTO),
    cache: false,
  })
  sampleRevisions(registry, env)
  return registry
}
