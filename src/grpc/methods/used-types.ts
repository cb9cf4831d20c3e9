import type { DescriptorProto, FieldDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt'

/** Full names of the messages and enums that a file uses, without the leading dot. Relative names are left out. */
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
