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

/** One method with its messages. */
export interface MethodDescriptionDoc extends MethodDoc {
  readonly schema: 'disco.method/v1'
  readonly service: string
  /** The method and every message that it needs, as a .proto file has them. */
  readonly proto: string
  /** A request with every field in it. */
  readonly template: unknown
}

/** The input of a method's description. */
export interface Described {
  readonly name: string
  readonly kind: MethodKind
  readonly messages: { readonly request: string; readonly reply: string }
  readonly proto: string
  readonly template: unknown
}

export function methodsDoc(service: string, methods: readonly Described[]): MethodsDoc {
  return { schema: 'disco.methods/v1', service, methods: methods.map(methodDoc) }
}

export function methodDescriptionDoc(service: string, method: Described): MethodDescriptionDoc {
  const { proto, template } = method
  return { schema: 'disco.method/v1', service, ...methodDoc(method), proto, template }
}

function methodDoc({ name, kind, messages }: Described): MethodDoc {
  return { method: name, kind, ...messages }
}
