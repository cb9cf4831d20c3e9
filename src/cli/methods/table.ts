import type { Palette } from '../terminal/color.js'
import { renderTable } from '../terminal/table.js'
import { count } from '../terminal/units.js'
import { prettyJson, visible } from '../terminal/visible.js'
import type { DescriptionDoc, MethodsDoc } from './document.js'

/** The methods of a service, with their request and reply messages. */
export function renderMethods({ methods, service }: MethodsDoc, palette: Palette): string {
  const table = renderTable(
    methods,
    [
      { head: 'METHOD', text: ({ method }) => method },
      { head: 'KIND', text: ({ kind }) => kind.replace('_', ' '), dropOrder: 3 },
      { head: 'REQUEST', text: ({ request }) => request, dropOrder: 2 },
      { head: 'REPLY', text: ({ reply }) => reply, dropOrder: 1 },
    ],
    palette,
  )
  const hint = `${count(methods.length, 'method')}. A message's fields: disco call ${visible(service)} METHOD --describe`
  return `${table}\n${palette.dim(hint)}`
}

/** The .proto of the described element, and for a method or message an example to start from. */
export function renderDescription(doc: DescriptionDoc, palette: Palette): string {
  const { proto, template, service, truncated } = doc
  const lines = proto.split('\n').map(visible).join('\n')
  if (template === null) return lines
  const use =
    doc.schema === 'disco.method/v1'
      ? `disco call ${visible(service)} ${visible(doc.method)} -d @request.json, from:`
      : `${visible(doc.name)} in JSON:`
  const rest = truncated
    ? ['', palette.dim('Not everything is shown. To describe a type, give its name.')]
    : []
  return [lines, '', palette.dim(use), prettyJson(template), ...rest].join('\n')
}
