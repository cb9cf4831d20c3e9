import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { count } from '../terminal/units.js'
import { prettyJson, visible } from '../terminal/visible.js'
import type { MethodDescriptionDoc, MethodsDoc } from './document.js'

/** The methods of a service, with their request and reply messages. */
export function renderMethods({ methods, service }: MethodsDoc, palette: Palette): string {
  const table = renderTable(
    methods,
    [
      { head: 'METHOD', text: ({ method }) => method },
      { head: 'KIND', text: ({ kind }) => kind.replace('_', ' ') },
      { head: 'REQUEST', text: ({ request }) => request },
      { head: 'REPLY', text: ({ reply }) => reply },
    ],
    palette,
  )
  const hint = `${count(methods.length, 'method')}. A message's fields: disco call ${visible(service)} METHOD --describe`
  return `${table}\n${palette.dim(hint)}`
}

/** The .proto of a method, and a request to start from. */
export function renderDescription(
  { proto, template, service, method }: MethodDescriptionDoc,
  palette: Palette,
): string {
  const lines = proto.split('\n').map(visible).join('\n')
  const command = palette.dim(`disco call ${visible(service)} ${visible(method)} -d @request.json, from:`)
  return `${lines}\n\n${command}\n${prettyJson(template)}`
}
