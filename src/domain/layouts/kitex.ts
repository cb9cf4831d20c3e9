import { cloudwego } from './cloudwego.js'
import { baseBefore, endsInAddress } from './define.js'
import { goJson, goMap } from './go-json.js'

/**
 * Kitex, registry-etcd. Made with a user and password it has no prefix, and its keys are `/{service}/{addr}`,
 * the seed layout's without a version: only the value tells.
 */
export const kitex = cloudwego({
  name: 'kitex',
  base: 'kitex/registry-etcd',
  keys: '{prefix, kitex/registry-etcd}/{service}/{addr}',
  baseOf: (key) => baseBefore(key, 2),
  isLikely: endsInAddress,
  addressOf: (addr) => addr.replace(/^\[(.*)\](:\d+)$/, '$1$2'),
  json: ({ tags, ...value }) => goJson({ ...value, tags: goMap(tags) }),
})
