import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Counts the connections that each port of this process accepts, until disposed. */
export class AcceptedConnections implements Disposable {
  private readonly byPort = new Map<number, number>()
  private readonly note = (message: unknown): void => {
    const { localPort = 0 } = (message as { socket: Socket }).socket
    this.byPort.set(localPort, (this.byPort.get(localPort) ?? 0) + 1)
  }

  constructor() {
    subscribe('net.server.socket', this.note)
  }

  at({ addr }: { readonly addr: string }): number {
    return this.byPort.get(Number(addr.split(':')[1])) ?? 0
  }

  [Symbol.dispose](): void {
    unsubscribe('net.server.socket', this.note)
  }
}
