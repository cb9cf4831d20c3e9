import type { ClientAnswer, ClientStream } from '../../xds/client-stream.js'
import type { LogFile } from '../output/log-file.js'

/** Appends a JSON line to a file for each connect, ACK, NACK and disconnect of a client. */
export class ClientLog {
  /** @param now returns the time for a line */
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

  /** @param reason why the control plane ended the stream; null if the client ended it */
  closed(stream: ClientStream, reason: string | null): void {
    this.write('disconnect', stream, { reason })
  }

  private write(event: string, { identity, peer }: ClientStream, fields: object): void {
    const { node = null, agent = null } = identity ?? {}
    this.file.write({ time: this.now().toISOString(), event, node, agent, peer, ...fields })
  }
}
