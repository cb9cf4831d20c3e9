import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { type Client, type StatusObject, status } from '@grpc/grpc-js'
import type { Headers } from '../protocol.js'
import { checkNames } from './check-names.js'
import { ReflectedFiles } from './reflected-files.js'
import { ReflectionCalls } from './reflection-calls.js'
import { REFLECTION_PACKAGES, type ReflectionPackage, reflectionMessages } from './reflection-protocol.js'
import type { FetchFiles } from './type-lookup.js'

/**
 * Fetches the files of types that a message contains, by reflection.
 *
 * @param deadlineMs for each request
 * @param signal ends the search; types without an answer stay unknown
 */
export function typesByReflection(
  client: Client,
  deadlineMs: number,
  signal: AbortSignal,
  headers: Headers,
): FetchFiles {
  let packages: readonly ReflectionPackage[] = REFLECTION_PACKAGES
  return async (questions, known) => {
    for (const pkg of packages) {
      if (signal.aborted) return []
      using calls = new ReflectionCalls(client, reflectionMessages(pkg), deadlineMs, headers)
      const interrupt = () => calls[Symbol.dispose]()
      signal.addEventListener('abort', interrupt)
      try {
        const files = await collected(calls, questions, known)
        packages = [pkg]
        return files
      } catch (error) {
        if ((error as Partial<StatusObject>).code === status.UNIMPLEMENTED) continue
        // After any failure of the server, the message can be shown without the type.
        return []
      } finally {
        signal.removeEventListener('abort', interrupt)
      }
    }
    return []
  }
}

async function collected(
  calls: ReflectionCalls,
  ...[questions, known]: Parameters<FetchFiles>
): Promise<readonly FileDescriptorProto[]> {
  const files = new ReflectedFiles(calls.ask, known)
  await files.collect(questions)
  checkNames(files.all)
  return files.all
}
