import { fromBinary } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import { builtInFiles } from './built-in-files.js'
import { isEmpty } from './missing-types.js'
import { definitionsOf } from './normalize-descriptors.js'
import type { ReflectionRequest, ReflectionResponse } from './reflection-protocol.js'

/** Maximum number of parallel requests. A limit saves requests, because a response may contain further wanted files. */
const MAX_AT_A_TIME = 32

/** Sends one reflection request. The response may lack the requested element. */
export type SendRequest = (question: ReflectionRequest) => Promise<ReflectionResponse>

/** The files of a server: the requested files, and all files that they import. */
export class ReflectedFiles {
  /** By file name. */
  private readonly files = new Map<string, FileDescriptorProto>()
  /** Full names of all elements that the files define. */
  private readonly defined = new Set<string>()
  /** The sent requests, as JSON. */
  private readonly asked = new Set<string>()

  /** @param known files that need not be requested; not included in `all` */
  constructor(
    private readonly ask: SendRequest,
    private readonly known: readonly FileDescriptorProto[] = [],
  ) {
    for (const file of [...builtInFiles(), ...known]) this.define(file)
  }

  get all(): readonly FileDescriptorProto[] {
    return [...this.files.values()]
  }

  /**
   * Requests files, then their missing imports. An import is requested by its file name. If the server has no file of
   * this name (it was compiled under another path), the file is requested by the types that are used.
   *
   * @throws Error for a response that is not a file descriptor, and any error of `ask`
   */
  async collect(questions: readonly ReflectionRequest[]): Promise<void> {
    for (let wanted = questions; wanted.length > 0; wanted = this.missing()) {
      for (let from = 0; from < wanted.length; from += MAX_AT_A_TIME) {
        const some = wanted.slice(from, from + MAX_AT_A_TIME).filter((question) => this.isWanted(question))
        for (const answer of await Promise.all(some.map(this.ask))) this.keep(answer)
      }
    }
  }

  /** Whether to send a request. Records the request, so that it is not sent twice. */
  private isWanted(question: ReflectionRequest): boolean {
    const { fileContainingSymbol: symbol } = question
    if (symbol !== undefined && this.defined.has(symbol)) return false
    const key = JSON.stringify(question)
    if (this.asked.has(key)) return false
    this.asked.add(key)
    return true
  }

  private missing(): ReflectionRequest[] {
    const files = this.all
    const names = new Set([...files, ...this.known].filter((file) => !isEmpty(file)).map(({ name }) => name))
    const imports = new Set(files.flatMap(({ dependency }) => dependency).filter((name) => !names.has(name)))
    const byName = [...imports].map((fileByFilename) => ({ fileByFilename }))
    const unknown = byName.filter((question) => !this.asked.has(JSON.stringify(question)))
    if (unknown.length > 0) return unknown
    const used = new Set(files.flatMap((file) => [...usedTypes(file)]))
    return [...used]
      .map((fileContainingSymbol) => ({ fileContainingSymbol }))
      .filter(
        (question) =>
          !this.defined.has(question.fileContainingSymbol) && !this.asked.has(JSON.stringify(question)),
      )
  }

  private keep(answer: ReflectionResponse): void {
    for (const base64 of answer.fileDescriptorResponse?.fileDescriptorProto ?? []) {
      const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, 'base64'))
      // gRPC servers in Go send an empty file for an import that they lack.
      if (this.files.has(file.name) && isEmpty(file)) continue
      this.files.set(file.name, file)
      this.define(file)
    }
  }

  private define(file: FileDescriptorProto): void {
    for (const name of definitionsOf([file]).keys()) this.defined.add(name)
    const scope = file.package === '' ? '' : `${file.package}.`
    for (const { name } of [...file.service, ...file.extension]) this.defined.add(`${scope}${name}`)
  }
}

/** Full names of the messages and enums that a file uses, without the leading dot. Relative names are not included. */
export function usedTypes(file: FileDescriptorProto): Set<string> {
  const used = new Set<string>()
  const add = (name: string) => {
    if (name.startsWith('.')) used.add(name.slice(1))
  }
  const addFields = (fields: readonly FieldDescriptorProto[]) => {
    for (const { typeName, extendee } of fields) {
      add(typeName)
      add(extendee)
    }
  }
  const addMessage = ({ field, extension, nestedType }: DescriptorProto) => {
    addFields(field)
    addFields(extension)
    for (const nested of nestedType) addMessage(nested)
  }
  for (const message of file.messageType) addMessage(message)
  addFields(file.extension)
  for (const { method } of file.service) {
    for (const { inputType, outputType } of method) {
      add(inputType)
      add(outputType)
    }
  }
  return used
}
