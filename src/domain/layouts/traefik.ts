import { configuration } from './configuration.js'

/** Traefik's KV provider. */
export const traefik = configuration('traefik', 'traefik', 'traefik/http/services/…')
