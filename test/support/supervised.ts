import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Disco, Process } from './disco.js'
import { freePorts } from './ports.js'

const SERVER = fileURLToPath(new URL('./supervised-server.js', import.meta.url))

/** The command of a gRPC server that listens on a port. */
export function serverCommand(port: number): string[] {
  return [process.execPath, SERVER, String(port)]
}

/** The key of a server at a port of this machine. */
export function keyOf(service: string, port: number): string {
  return `/${service}/127.0.0.1:${port}`
}

/** A port that accepts connections, for commands that do not listen themselves. */
export async function acceptingPort(): Promise<{ port: number; server: Server }> {
  const [port = 0] = await freePorts(1)
  const server = createServer((socket) => socket.destroy())
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return { port, server }
}

/** A service name that no other concurrent test uses. */
let services = 0
export function ownService(): string {
  return `svc${++services}`
}

const supervisors = new Set<Process>()

/** Kills servers that failed tests have left: a killed supervisor leaves its server running. */
export function killSupervised(): void {
  for (const supervisor of supervisors) if (supervisor.child.exitCode === null) killServerOf(supervisor)
}

/** Kills the server of a killed supervisor, and every process that has printed its process id. */
export function killServerOf(supervisor: Process): void {
  supervisors.delete(supervisor)
  for (const [, pid] of `${supervisor.stdout}${supervisor.stderr}`.matchAll(/pid (\d+)/g)) {
    try {
      process.kill(-Number(pid), 'SIGKILL')
    } catch {
      // Not a group leader, or gone.
    }
  }
}

/** A TTL longer than any stall of a busy machine. Tests of an expiry override it. */
const TTL = ['--ttl', '60']

/** Runs `disco register SERVICE ADDR… -- COMMAND…` with short waits. */
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

/** Waits until the server is registered and has printed its process id. */
export async function isUp(held: Process): Promise<void> {
  await held.printed('Twice: now.')
  await held.printed(/pid \d+\r?\n/)
}
