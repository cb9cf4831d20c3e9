import { ofRegistry } from '../../domain/documents.js'
import { status } from '../../grpc/protocol.js'
import type { CallEnd } from '../../proxy/call.js'
import { serviceName } from '../../proxy/service.js'
import { LogFile } from '../output/log-file.js'

/** Appends a JSON line to a file for each call of the proxy. */
export class AccessLog {
  private constructor(private readonly file: LogFile) {}

  /**
   * @param onProblem called with a sentence for each later failure to open or write the file
   * @throws DiscoError USAGE for a file that cannot be opened
   */
  static open(file: string, onProblem: (sentence: string) => void): AccessLog {
    return new AccessLog(LogFile.open(file, 'access log', onProblem))
  }

  write({ service, upstream, path, peer, code, details, tookMs, replays }: CallEnd, now: Date): void {
    this.file.write({
      time: now.toISOString(),
      service: service && serviceName(service),
      path,
      ...(upstream ? ofRegistry(upstream.endpoint.registration) : {}),
      endpoint: upstream?.endpoint.registration.addr ?? null,
      status: status[code] ?? String(code),
      details,
      ms: Math.round(tookMs * 1_000) / 1_000,
      replays,
      peer,
    })
  }

  /** Opens the file again, for example after a log rotation has renamed it. */
  reopen(): void {
    this.file.reopen()
  }

  close(): Promise<void> {
    return this.file.close()
  }
}
