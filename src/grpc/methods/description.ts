import type { DescMethod, DescService, JsonValue } from '@bufbuild/protobuf'
import { jsonTemplate } from './json-template.js'
import { whyMissing } from './missing-types.js'
import { protoText } from './proto-text.js'
import { type DescType, isGoogle, reachableTypes } from './reachable-types.js'
import type { Types } from './types.js'

/** Maximum number of types in a description. Further types can be described by their names. */
const MAX_TYPES = 200

/** A schema element that can be described: a method, a service, a message or an enum. */
export type Describable = DescMethod | DescService | DescType

/** The description of a schema element, for display. */
export interface Description {
  /** The full name; `package.Service/Method` for a method. */
  readonly name: string
  /**
   * In the syntax of a .proto file: a message or enum with all types that it uses, a method with its messages and all
   * types that they use, or a service with its methods only.
   */
  readonly proto: string
  /**
   * An example message with all fields, which `Method.encode` accepts. For a method, an example of its request. Null
   * for a service or enum.
   */
  readonly template: JsonValue
  /** Whether `proto` or `template` is incomplete because of its size. */
  readonly truncated: boolean
  /** The missing types, one sentence each. */
  readonly gaps: readonly string[]
}

/** Describes a schema element. @throws Error for inconsistent file descriptors */
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
      const messages = [input, output].filter((type) => !isGoogle(type))
      return { name, ...textAndTemplate([service], messages, input, types) }
    }
    default:
      return { name: described.typeName, ...textAndTemplate([], [described], described, types) }
  }
}

/** @param exemplified the type of the template */
function textAndTemplate(
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
    const missingType = missing.get(typeName)
    return missingType ? [whyMissing(missingType)] : []
  })
}
