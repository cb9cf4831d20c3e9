import type { DescMethod, DescService, JsonValue } from '@bufbuild/protobuf'
import { jsonTemplate } from './json-template.js'
import { whyMissing } from './missing-types.js'
import { protoText } from './proto-text.js'
import { type DescType, isGoogle, reachableTypes } from './reachable-types.js'
import type { Types } from './types.js'

/** The maximum number of types in a description; others can be described by name. */
const MAX_TYPES = 200

/** An element with a description: a method, a service, a message or an enum. */
export type Describable = DescMethod | DescService | DescType

/** A part of a schema, for display. */
export interface Description {
  /** Full name; of a method `package.Service/Method`. */
  readonly name: string
  /**
   * The element with the messages and enums that it reaches, in the form of a .proto file; for a service, its
   * methods.
   */
  readonly proto: string
  /**
   * An example message with all fields, which `Method.encode` accepts; for a method, its request. Null for other
   * elements.
   */
  readonly template: JsonValue
  /** Whether the .proto or the template is incomplete. */
  readonly truncated: boolean
  /** Missing dependencies, a sentence each. */
  readonly gaps: readonly string[]
}

/** @throws Error for a description that contradicts itself */
export function descriptionOf(described: Describable, types: Types): Description {
  const { missing } = types
  switch (described.kind) {
    case 'service': {
      const roots = described.methods.flatMap(({ input, output }) => [input, output])
      return {
        name: described.typeName,
        template: null,
        truncated: false,
        proto: protoText([described], [], missing),
        gaps: gapsIn(reachableTypes(roots, Number.POSITIVE_INFINITY).types, types),
      }
    }
    case 'rpc': {
      const { parent, input, output } = described
      const service = { typeName: parent.typeName, methods: [described] }
      const name = `${parent.typeName}/${described.name}`
      const own = [input, output].filter((type) => !isGoogle(type))
      return { name, ...parts([service], own, input, types) }
    }
    default:
      return { name: described.typeName, ...parts([], [described], described, types) }
  }
}

function parts(
  services: Parameters<typeof protoText>[0],
  roots: readonly DescType[],
  exemplified: DescType,
  types: Types,
): Pick<Description, 'proto' | 'template' | 'truncated' | 'gaps'> {
  const reached = reachableTypes(roots, MAX_TYPES)
  const template = exemplified.kind === 'message' ? jsonTemplate(exemplified) : { json: null, isCut: false }
  const proto = protoText(services, reached.types, types.missing)
  const more = `// Further types: ${reached.left}. Each is described by its name.`
  return {
    proto: reached.left > 0 ? `${proto}\n\n${more}` : proto,
    template: template.json,
    truncated: template.isCut || reached.left > 0,
    gaps: gapsIn(reached.types, types),
  }
}

function gapsIn(reached: readonly DescType[], { missing }: Types): string[] {
  return reached.flatMap(({ typeName }) => {
    const lacking = missing.get(typeName)
    return lacking ? [whyMissing(lacking)] : []
  })
}
