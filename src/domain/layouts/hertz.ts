import { cloudwego } from './cloudwego.js'

/** Hertz, registry/etcd. Its JSON is sonic's: nothing is escaped for HTML, and tags come in any order. */
export const hertz = cloudwego({
  name: 'hertz',
  base: 'hertz/registry-etcd',
  keys: 'hertz/registry-etcd/{service}/{addr}',
  addressOf: (addr) => addr,
  json: (value) => JSON.stringify(value),
})
