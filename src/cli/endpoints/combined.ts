import { partsRead, type RegistryPart, registryDocs } from '../registries/parts.js'
import type { ServicesDoc } from '../services/document.js'
import type { EndpointsDoc, SelectedDoc } from './document.js'

/** The endpoints of a service in all registries. @throws DiscoError if no registry was read */
export function combinedEndpoints(parts: readonly RegistryPart<EndpointsDoc>[]): EndpointsDoc {
  const read = partsRead(parts)
  const registries = registryDocs(parts)
  if (!registries) return read[0].read
  return {
    ...read[0].read,
    weightsUnset: read.every((part) => part.read.weightsUnset),
    ttlsAsked: read.every((part) => part.read.ttlsAsked),
    registries,
    endpoints: read.flatMap((part) => withRegistry(part.registry, part.read).endpoints),
  }
}

/** Selected endpoints of all services in all registries. @throws DiscoError if no registry was read */
export function combinedSelection(parts: readonly RegistryPart<SelectedDoc>[]): SelectedDoc {
  const read = partsRead(parts)
  const registries = registryDocs(parts)
  if (!registries) return read[0].read
  return {
    ...read[0].read,
    registries,
    services: read.flatMap((part) => part.read.services.map((doc) => withRegistry(part.registry, doc))),
  }
}

/** The services of all registries. @throws DiscoError if no registry was read */
export function combinedServices(parts: readonly RegistryPart<ServicesDoc>[]): ServicesDoc {
  const read = partsRead(parts)
  const registries = registryDocs(parts)
  if (!registries) return read[0].read
  return {
    ...read[0].read,
    ttlsAsked: read.every((part) => part.read.ttlsAsked),
    registries,
    services: read.flatMap((part) =>
      part.read.services.map((service) => ({ registry: part.registry ?? '', ...service })),
    ),
  }
}

/** Adds the name of the registry to each endpoint; null, for a single registry, adds nothing. */
export function withRegistry(registry: string | null, doc: EndpointsDoc): EndpointsDoc {
  if (registry === null) return doc
  return { ...doc, endpoints: doc.endpoints.map((endpoint) => ({ registry, ...endpoint })) }
}
