import { hertz, kitex } from './cloudwego.js'
import { apisix, traefik } from './configuration.js'
import { dubboGoApp } from './dubbo-go-app.js'
import { dubboGoInterface } from './dubbo-go-interface.js'
import { ego } from './ego.js'
import { etcd } from './etcd.js'
import { goKit } from './go-kit.js'
import { goMicro, goMicroV4 } from './go-micro.js'
import { goZero } from './go-zero.js'
import { goframe } from './goframe.js'
import { isObject } from './json-fields.js'
import { jupiter } from './jupiter.js'
import { kratos } from './kratos.js'
import type { Decoded, Layout, Value } from './layout.js'
import { pandaychen } from './pandaychen.js'
import { panshiqu } from './panshiqu.js'
import { rpcx } from './rpcx.js'
import { seed } from './seed.js'
import { skydns } from './skydns.js'

/** A key with its value, and the layout that it is written in. */
export interface Detected {
  readonly layout: Layout
  readonly decoded: Decoded
}

/** Who is asked first: those whose values have more of their own before those that others resemble. */
const BY_VALUE: readonly Layout[] = [
  jupiter,
  panshiqu,
  etcd,
  pandaychen,
  kitex,
  hertz,
  kratos,
  goMicro,
  goMicroV4,
  dubboGoApp,
  ego,
  seed,
  skydns,
  traefik,
  apisix,
  goframe,
  dubboGoInterface,
  goZero,
  goKit,
  rpcx,
]

/** Whose key it is when the value tells nothing: keys that begin as nobody else's, then the default. */
const BY_KEY: readonly Layout[] = [
  panshiqu,
  pandaychen,
  kratos,
  kitex,
  hertz,
  goMicro,
  dubboGoInterface,
  skydns,
  ego,
  dubboGoApp,
  rpcx,
  seed,
]

/**
 * Tells the layout of a key by its value's members first and by the key second: a seed key without a version
 * and a Kitex key without a prefix are the same. Never throws.
 *
 * @param keyFor the key as a layout would have it, where a root stands before it
 * @returns null where no layout has such a value, nor begins its keys so
 */
export function detect(
  key: string,
  bytes: Uint8Array,
  keyFor: (layout: Layout) => string = () => key,
): Detected | null {
  const value = read(bytes)
  const layout =
    BY_VALUE.find((known) => known.claims(value, keyFor(known))) ??
    BY_KEY.find((known) => keyFor(known).startsWith(known.prefix()))
  if (!layout) return null
  const own = keyFor(layout)
  const base = layout.baseOf(own) ?? layout.base
  const placed = base === layout.base ? layout : layout.at(base)
  return { layout: placed, decoded: placed.decode(own, bytes) }
}

function read(bytes: Uint8Array): Value {
  const text = Buffer.from(bytes).toString()
  try {
    const parsed: unknown = JSON.parse(text)
    return { text, members: isObject(parsed) ? parsed : null }
  } catch {
    return { text, members: null }
  }
}
