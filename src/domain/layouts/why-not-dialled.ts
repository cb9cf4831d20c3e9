import type { Fields } from './json-fields.js'

/** Why an endpoint is left alone whose writer tells a protocol and two flags: undefined where gRPC may dial. */
export function whyNotDialled(scheme: string, fields: Fields): { readonly notDialled?: string } {
  if (scheme !== 'grpc') return { notDialled: `speaks ${scheme || 'nothing'}, not gRPC` }
  if (!fields.boolean('enable', true)) return { notDialled: 'is not enabled' }
  return fields.boolean('healthy', true) ? {} : { notDialled: 'is marked unhealthy' }
}
