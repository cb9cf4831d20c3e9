import type { ClientAnswer, ClientStream } from '../../xds/client-stream.js'
import type { LogFile } from '../output/log-file.js'

/** A JSON line for each thing that a client does, appended to a file. */
export class ClientLog {
  /** @param now the time of a line */
  constructor(
    private readonly file: LogFile,
    private readonly now: () => Date,
  ) {}

  opened(stream: ClientStream): void {
    this.write('connect', stream, {})
  }

  answered(stream: ClientStream, { type, version, rejection }: ClientAnswer): void {
    this.write(rejection === null ? 'ack' : 'nack', stream, { type, version, reason: rejection })
  }

  /** @param reason why this side ended it; null if the client did */
  closed(stream: ClientStream, reason: string | null): void {
    this.write('disconnect', stream, { reason })
  }

  private write(event: string, { identity, peer }: ClientStream, fields: object): void {
    const { node = null, agent = null } = identity ?? {}
    this.file.write({ time: this.now().toISOString(), event, node, agent, peer, ...fields })
  }
}
