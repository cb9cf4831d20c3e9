import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  ScalarType,
} from '@bufbuild/protobuf'
import { protoCamelCase } from '@bufbuild/protobuf/reflect'

/** The method and every message and enum that it reaches, as a .proto file has them; Google's own are left out. */
export function protoText(method: DescMethod): string {
  const reached = reach(method)
  const types = [...reached].filter((type) => !type.typeName.startsWith('google.protobuf.'))
  return [methodText(method), ...types.map((type) => typeText(type))].join('\n\n')
}

function methodText({ parent, name, input, output, methodKind }: DescMethod): string {
  const isSending = methodKind === 'client_streaming' || methodKind === 'bidi_streaming'
  const isStreamed = methodKind === 'server_streaming' || methodKind === 'bidi_streaming'
  const request = `${isSending ? 'stream ' : ''}${input.typeName}`
  const reply = `${isStreamed ? 'stream ' : ''}${output.typeName}`
  return `service ${parent.typeName} {\n  rpc ${name} (${request}) returns (${reply});\n}`
}

/** In the order in which they are met: the request first, the reply's next. */
function reach({ input, output }: DescMethod): Set<DescMessage | DescEnum> {
  const reached = new Set<DescMessage | DescEnum>()
  const visit = (type: DescMessage | DescEnum) => {
    if (reached.has(type)) return
    reached.add(type)
    if (type.kind === 'enum' || type.typeName.startsWith('google.protobuf.')) return
    for (const { message, enum: enumeration } of type.fields) {
      const inner = message ?? enumeration
      if (inner) visit(inner)
    }
  }
  visit(input)
  visit(output)
  return reached
}

/** By its full name: a nested type stands by itself here. */
function typeText(type: DescMessage | DescEnum): string {
  const lines =
    type.kind === 'enum'
      ? type.values.map(({ name, number }) => `${name} = ${number};`)
      : type.members.flatMap((member) =>
          member.kind === 'oneof'
            ? [`oneof ${member.name} {`, ...member.fields.map((field) => `  ${fieldText(field)}`), '}']
            : [fieldText(member)],
        )
  const body = lines.map((line) => `\n  ${line}`).join('')
  return `${type.kind} ${type.typeName} {${body}${body === '' ? '' : '\n'}}`
}

function fieldText(field: DescField): string {
  return `${labelOf(field)}${typeOf(field)} ${field.name} = ${field.number}${jsonNameOf(field)};`
}

/** Where JSON calls it otherwise than every field of such a name. */
function jsonNameOf({ jsonName, name }: DescField): string {
  return jsonName === protoCamelCase(name) ? '' : ` [json_name = ${JSON.stringify(jsonName)}]`
}

function labelOf(field: DescField): string {
  if (field.fieldKind === 'list') return 'repeated '
  if (field.fieldKind === 'map' || field.oneof) return ''
  const isRequired = field.proto.label === REQUIRED
  if (isRequired) return 'required '
  const isOptional = field.proto.proto3Optional || field.parent.file.proto.syntax !== 'proto3'
  return isOptional ? 'optional ' : ''
}

/** google.protobuf.FieldDescriptorProto.Label.LABEL_REQUIRED */
const REQUIRED = 2

function typeOf(field: DescField): string {
  if (field.fieldKind === 'map') return `map<${scalarName(field.mapKey)}, ${elementName(field)}>`
  return elementName(field)
}

function elementName({ message, enum: enumeration, scalar }: DescField): string {
  return message?.typeName ?? enumeration?.typeName ?? scalarName(scalar)
}

function scalarName(type: ScalarType | undefined): string {
  return type === undefined ? '' : ScalarType[type].toLowerCase()
}
