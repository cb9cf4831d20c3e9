import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from './ports.js'

/** Each message between members has the id of its sender (etcd, server/etcdserver/api/rafthttp). */
const SENDER = /^X-Server-From: ([0-9a-f]+)/im

/** A connection between two members. The member that opened it is known after its first message. */
interface PeerConnection {
  readonly to: string
  from: string | null
  readonly ends: readonly [Socket, Socket]
}

/**
 * Proxies between the members of a cluster: each member advertises the address of its proxy instead of its own. An
 * isolated member is disconnected from the others in both directions, but not from its clients. Withheld bytes arrive
 * later, like retransmitted packets.
 */
export class PeerNetwork implements AsyncDisposable {
  /** Member ids in hex. */
  private readonly isolated = new Set<string>()
  private readonly idByName = new Map<string, string>()
  private readonly connections = new Set<PeerConnection>()
  private readonly servers: Server[] = []

  /** @returns the URL that the member of this name, which listens at the port, has to advertise */
  async link(name: string, port: number): Promise<string> {
    const [own = 0] = await freePorts(1)
    const server = createServer((socket) => this.pass(socket, connect(port, '127.0.0.1'), name))
    await once(server.listen(own, '127.0.0.1'), 'listening')
    this.servers.push(server)
    return `http://127.0.0.1:${own}`
  }

  /** @param id in hex, as in the messages of the member */
  isolate(name: string, id: string): void {
    this.idByName.set(name, id)
    this.isolated.add(id)
    for (const connection of this.connections) if (this.isHeld(connection)) hold(connection)
  }

  heal(): void {
    this.isolated.clear()
    for (const { ends } of this.connections) for (const end of ends) end.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ends } of this.connections) for (const end of ends) end.destroy()
    for (const server of this.servers) server.close()
  }

  private isHeld({ to, from }: PeerConnection): boolean {
    const isIsolated = (id: string | null | undefined) => typeof id === 'string' && this.isolated.has(id)
    return isIsolated(this.idByName.get(to)) || isIsolated(from)
  }

  private pass(client: Socket, server: Socket, to: string): void {
    const connection: PeerConnection = { to, from: null, ends: [client, server] }
    this.connections.add(connection)
    const end = () => {
      this.connections.delete(connection)
      client.destroy()
      server.destroy()
    }
    for (const socket of connection.ends) socket.on('error', end).on('close', end)
    client.on('data', (bytes) => {
      connection.from ??= SENDER.exec(bytes.toString('latin1'))?.[1] ?? null
      if (!this.isHeld(connection)) {
        server.write(bytes)
        return
      }
      hold(connection)
      client.unshift(bytes)
    })
    server.on('data', (bytes) => client.write(bytes))
    if (this.isHeld(connection)) hold(connection)
  }
}

function hold({ ends }: PeerConnection): void {
  for (const end of ends) end.pause()
}
