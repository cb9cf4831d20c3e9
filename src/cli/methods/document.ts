/** The methods of a service. */
export interface MethodsDoc {
  readonly schema: 'disco.methods/v1'
  /** The service or target of the command line. */
  readonly service: string
  readonly methods: readonly MethodDoc[]
}

export type MethodKind = 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming'

export interface MethodDoc {
  /** `package.Service/Method` */
  readonly method: string
  readonly kind: MethodKind
  /** Full names of the message types. */
  readonly request: string
  readonly reply: string
}

/** The definition of a method, a gRPC service, a message or an enum. */
interface SchemaDoc {
  /** The service or target of the command line. Its server, or a file, has the definition. */
  readonly service: string
  /** The definition in the syntax of a .proto file, with the types that it depends on. */
  readonly proto: string
  /** An example message with all its fields; for a method, a request. Null for services and enums. */
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

interface MethodInput {
  readonly name: string
  readonly kind: MethodKind
  readonly messages: { readonly request: string; readonly reply: string }
}

/** The definition of a method or type, from which its document is made. */
export type DefinitionInput = Omit<SchemaDoc, 'service'> & { readonly name: string } & (
    | { readonly kind: 'method'; readonly method: MethodInput }
    | { readonly kind: TypeDescriptionDoc['kind']; readonly method: null }
  )

export function methodsDoc(service: string, methods: readonly MethodInput[]): MethodsDoc {
  return { schema: 'disco.methods/v1', service, methods: methods.map(methodDoc) }
}

export function descriptionDoc(service: string, described: DefinitionInput): DescriptionDoc {
  const { name, proto, template, truncated, gaps } = described
  const rest = { proto, template, truncated, gaps }
  if (described.kind === 'method') {
    return { schema: 'disco.method/v1', service, ...methodDoc(described.method), ...rest }
  }
  return { schema: 'disco.type/v1', service, name, kind: described.kind, ...rest }
}

function methodDoc({ name, kind, messages }: MethodInput): MethodDoc {
  return { method: name, kind, ...messages }
}
