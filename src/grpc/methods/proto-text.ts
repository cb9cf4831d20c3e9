import { type DescField, type DescMethod, ScalarType } from '@bufbuild/protobuf'
import { protoCamelCase } from '@bufbuild/protobuf/reflect'
import { type MissingTypes, whyMissing } from './missing-types.js'
import type { DescType } from './reachable-types.js'

/** Formats services (all or some of their methods) and types in the syntax of .proto files, under their full names. */
export function protoText(
  services: readonly ListedService[],
  types: readonly DescType[],
  missing: MissingTypes,
): string {
  return [
    ...services.map(serviceText),
    ...types.map((type) => {
      const missingType = missing.get(type.typeName)
      return missingType ? `// ${whyMissing(missingType)}` : typeText(type)
    }),
  ].join('\n\n')
}

/** A service to format, with those of its methods that are to be listed. */
export interface ListedService {
  readonly typeName: string
  readonly methods: readonly DescMethod[]
}

function serviceText({ typeName, methods }: ListedService): string {
  return `service ${typeName} {${methods.map((method) => `\n  ${rpcText(method)}`).join('')}\n}`
}

function rpcText({ name, input, output, methodKind }: DescMethod): string {
  const isSending = methodKind === 'client_streaming' || methodKind === 'bidi_streaming'
  const isStreamed = methodKind === 'server_streaming' || methodKind === 'bidi_streaming'
  const request = `${isSending ? 'stream ' : ''}${input.typeName}`
  const reply = `${isStreamed ? 'stream ' : ''}${output.typeName}`
  return `rpc ${name} (${request}) returns (${reply});`
}

/** Formats a type under its full name, without its nested types. */
function typeText(type: DescType): string {
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

/** The option `json_name`; empty if the JSON name is the default one. */
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
