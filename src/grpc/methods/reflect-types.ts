import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import { type Client, type StatusObject, status } from '@grpc/grpc-js'
import type { Headers } from '../protocol.js'
import { checkNames } from './check-names.js'
import { ReflectedFiles } from './reflected-files.js'
import { ReflectionCalls } from './reflection-calls.js'
import { REFLECTION_PACKAGES, type ReflectionPackage, reflectionMessages } from './reflection-protocol.js'
import type { FetchFiles } from './type-lookup.js'

/**
 * Returns a function that fetches the files of unknown types and extensions by server reflection.
 *
 * @param deadlineMs time limit for each of the two versions of reflection that a call of the function tries
 * @param signal aborts pending requests; the types stay unknown
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
        const files = await collectFiles(calls, questions, known)
        packages = [pkg]
        return files
      } catch (error) {
        if ((error as Partial<StatusObject>).code === status.UNIMPLEMENTED) continue
        // The message can be shown without the type, so no failure of the server is reported.
        return []
      } finally {
        signal.removeEventListener('abort', interrupt)
      }
    }
    return []
  }
}

async function collectFiles(
  calls: ReflectionCalls,
  ...[questions, known]: Parameters<FetchFiles>
): Promise<readonly FileDescriptorProto[]> {
  const files = new ReflectedFiles(calls.ask, known)
  await files.collect(questions)
  checkNames(files.all)
  return files.all
}
