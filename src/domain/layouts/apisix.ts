import { configuration } from './configuration.js'

/** APISIX' upstreams and routes. */
export const apisix = configuration('apisix', '/apisix', '/apisix/upstreams/{id}')
