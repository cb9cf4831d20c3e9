import { DiscoError } from '../errors.js'
import { nameSuggestions } from '../nearest.js'
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
import { jupiter } from './jupiter.js'
import { kratos } from './kratos.js'
import type { Layout } from './layout.js'
import { pandaychen } from './pandaychen.js'
import { panshiqu } from './panshiqu.js'
import { rpcx } from './rpcx.js'
import { seed } from './seed.js'
import { skydns } from './skydns.js'

export type {
  DecodedKey,
  EndpointRecords,
  Hint,
  Layout,
  Unusable,
} from './layout.js'

/** The layout if none is given. It is also the layout for writing if layouts are detected. */
export const DEFAULT_LAYOUT: Layout = seed

/**
 * All known layouts, in the order in which the documentation lists them. Layouts with the same `claimedBy` are also tried
 * in this order when the layout of a key is detected.
 */
export const LAYOUTS: readonly Layout[] = [
  seed,
  etcd,
  panshiqu,
  pandaychen,
  goZero,
  kratos,
  kitex,
  hertz,
  goMicro,
  goMicroV4,
  goframe,
  dubboGoInterface,
  dubboGoApp,
  rpcx,
  skydns,
  jupiter,
  ego,
  goKit,
  traefik,
  apisix,
]

export function findLayout(name: string): Layout | undefined {
  return LAYOUTS.find((known) => known.name === name)
}

/** Whether a layout cannot carry a weight. False for an unknown layout. */
export function isWeightless(name: string): boolean {
  return (findLayout(name)?.weightless ?? null) !== null
}

/**
 * A layout by its name, or by `NAME=BASE` for a base other than its writers' default.
 *
 * @param source the name of the text in errors, such as a variable
 * @throws DiscoError USAGE
 */
export function layoutNamed(text: string, source?: string): Layout {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  const layout = findLayout(name)
  const from = source === undefined ? '' : ` from ${source}`
  if (!layout) {
    const names = LAYOUTS.map((known) => known.name)
    throw new DiscoError('USAGE', `Unknown layout "${name}"${from}`, {
      suggestions: nameSuggestions(name, names),
    })
  }
  if (equals < 0) return layout
  const base = text.slice(equals + 1)
  if (layout === seed) {
    throw new DiscoError('USAGE', `The layout seed${from} has no prefix of its own`, {
      suggestions: [`Give the prefix of all keys: --root ${base}`],
    })
  }
  return layout.at(base.length > 1 ? base.replace(/\/+$/, '') : base)
}
