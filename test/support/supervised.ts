import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Disco, Process } from './disco.js'
import { freePorts } from './ports.js'

const SERVER = fileURLToPath(new URL('./supervised-server.js', import.meta.url))

/** The command of a gRPC server on a port. */
export function serverCommand(port: number): string[] {
  return [process.execPath, SERVER, String(port)]
}

/** Where a server at a port of this machine is registered. */
export function keyOf(service: string, port: number): string {
  return `/${service}/127.0.0.1:${port}`
}

/** A free port that something accepts connections at: a script that cannot itself is then taken for up. */
export async function acceptingPort(): Promise<{ port: number; server: Server }> {
  const [port = 0] = await freePorts(1)
  const server = createServer((socket) => socket.destroy())
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return { port, server }
}

/** A service of a test's own: tests that run beside each other do not see each other's. */
let services = 0
export function ownService(): string {
  return `svc${++services}`
}

const supervisors = new Set<Process>()

/** Ends what failed tests have left: a supervisor that is killed leaves its server running. */
export function killSupervised(): void {
  for (const supervisor of supervisors) if (supervisor.child.exitCode === null) killServerOf(supervisor)
}

/** Ends the server of a supervisor that was killed, and what else said that it has a pid there. */
export function killServerOf(supervisor: Process): void {
  supervisors.delete(supervisor)
  for (const [, pid] of `${supervisor.stdout}${supervisor.stderr}`.matchAll(/pid (\d+)/g)) {
    try {
      process.kill(-Number(pid), 'SIGKILL')
    } catch {
      // It leads no group, or is gone.
    }
  }
}

/** A lease that no stall of a busy machine outlasts: where a lease has to lapse, a test says so. */
const TTL = ['--ttl', '60']

/** `disco register SERVICE ADDR… -- COMMAND…`, with short waits. */
export function supervise(
  disco: Disco,
  service: string,
  port: number,
  { flags = [], command }: { flags?: readonly string[]; command: readonly string[] },
): Process {
  const ttl = flags.includes('--ttl') ? [] : TTL
  const drain = flags.includes('--drain') ? [] : ['--drain', '300ms']
  const own = ['register', service, `127.0.0.1:${port}`, ...ttl, ...drain, ...flags]
  const started = disco.start(...own, '--', ...command)
  supervisors.add(started)
  return started
}

/** Waits until the server is registered, and has said who it is. */
export async function isUp(held: Process): Promise<void> {
  await held.printed('Twice: now.')
  await held.printed(/pid \d+\r?\n/)
}
