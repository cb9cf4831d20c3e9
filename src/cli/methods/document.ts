/** The methods of a service. */
export interface MethodsDoc {
  readonly schema: 'disco.methods/v1'
  readonly service: string
  readonly methods: readonly MethodDoc[]
}

export type MethodKind = 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming'

export interface MethodDoc {
  /** `package.Service/Method` */
  readonly method: string
  readonly kind: MethodKind
  /** Full names of the messages. */
  readonly request: string
  readonly reply: string
}

/** Part of a schema. */
interface SchemaDoc {
  /** The service that was asked. */
  readonly service: string
  /** In the form of a .proto file, with its dependencies. */
  readonly proto: string
  /** An example message with its fields; for a method, the request. Null for services and enums. */
  readonly template: unknown
  /** Whether `proto` or `template` is incomplete because the schema is too large. */
  readonly truncated: boolean
  /** A sentence for each missing dependency. */
  readonly gaps: readonly string[]
}

/** One method with its messages. */
export interface MethodDescriptionDoc extends MethodDoc, SchemaDoc {
  readonly schema: 'disco.method/v1'
}

/** A gRPC service, a message or an enum. */
export interface TypeDescriptionDoc extends SchemaDoc {
  readonly schema: 'disco.type/v1'
  /** Full name. */
  readonly name: string
  readonly kind: 'service' | 'message' | 'enum'
}

export type DescriptionDoc = MethodDescriptionDoc | TypeDescriptionDoc

interface Called {
  readonly name: string
  readonly kind: MethodKind
  readonly messages: { readonly request: string; readonly reply: string }
}

/** The input of a description. */
export type Described = Omit<SchemaDoc, 'service'> & { readonly name: string } & (
    | { readonly kind: 'method'; readonly method: Called }
    | { readonly kind: TypeDescriptionDoc['kind']; readonly method: null }
  )

export function methodsDoc(service: string, methods: readonly Called[]): MethodsDoc {
  return { schema: 'disco.methods/v1', service, methods: methods.map(methodDoc) }
}

export function descriptionDoc(service: string, described: Described): DescriptionDoc {
  const { name, proto, template, truncated, gaps } = described
  const rest = { proto, template, truncated, gaps }
  if (described.kind === 'method') {
    return { schema: 'disco.method/v1', service, ...methodDoc(described.method), ...rest }
  }
  return { schema: 'disco.type/v1', service, name, kind: described.kind, ...rest }
}

function methodDoc({ name, kind, messages }: Called): MethodDoc {
  return { method: name, kind, ...messages }
}
