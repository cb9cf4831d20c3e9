import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt'

/** An identifier of the protobuf language. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/
/** One or more identifiers, separated by dots. */
const FULL_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/

/** Maximum depth of nested messages, against stack overflows. The limit of protoc is lower. */
const MAX_LEVELS = 64

/**
 * Refuses names that are not valid in protobuf, because names become request paths and JSON keys.
 *
 * @throws Error for the first invalid name, an enum without values, or messages that are nested too deeply; the message
 *   is a clause
 */
export function checkNames(files: readonly FileDescriptorProto[]): void {
  for (const file of files) {
    if (file.package !== '') check('package', file.package, FULL_NAME)
    for (const message of file.messageType) checkMessage(message, 1)
    for (const enumeration of file.enumType) checkEnum(enumeration)
    for (const extension of file.extension) check('extension', extension.name)
    for (const service of file.service) {
      check('service', service.name)
      for (const method of service.method) check('method', method.name)
    }
  }
}

/**
 * Refuses an invalid full name.
 *
 * @param what the kind of the element, such as `service`
 * @throws Error as `checkNames`
 */
export function checkFullName(what: string, name: string): void {
  check(what, name, FULL_NAME)
}

function checkMessage(
  { name, field, nestedType, enumType, oneofDecl }: DescriptorProto,
  level: number,
): void {
  check('message', name)
  if (level > MAX_LEVELS) throw new Error(`messages are nested more than ${MAX_LEVELS} levels deep`)
  for (const { name } of field) check('field', name)
  for (const { name } of oneofDecl) check('oneof', name)
  for (const enumeration of enumType) checkEnum(enumeration)
  for (const nested of nestedType) checkMessage(nested, level + 1)
}

function checkEnum({ name, value }: EnumDescriptorProto): void {
  check('enum', name)
  if (value.length === 0) throw new Error(`the enum ${name} has no values`)
  for (const { name } of value) check('value', name)
}

function check(what: string, name: string, form = IDENTIFIER): void {
  if (!form.test(name)) throw new Error(`a ${what} is named ${JSON.stringify(name.slice(0, 80))}`)
}
