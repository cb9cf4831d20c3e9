import { Client, credentials } from '@grpc/grpc-js'
import { afterEach } from 'vitest'
import { type Process, until } from './disco.js'
import { FourKinds } from './four-kinds.js'
import { withoutColors } from './palettes.js'

const stops: (() => void)[] = []

/** Stops the backends and clients of each test at its end. Call it once per file. */
export function stopAfterEach(): void {
  afterEach(() => {
    for (const stop of stops.splice(0)) stop()
  })
}

export async function backend(): Promise<FourKinds> {
  const started = await FourKinds.start()
  stops.push(() => started.stop())
  return started
}

/** Waits until the text was printed, in any colors. */
export async function shows(proxy: Process, text: RegExp): Promise<void> {
  await until(
    () => text.test(withoutColors(proxy.stdout)),
    () => `${text}, got: ${withoutColors(proxy.stdout).slice(-2_000)}`,
  )
}

/** A client of the proxy whose address the screen shows. */
export function clientOf(proxy: Process): Client {
  const [, address = ''] = /proxy (127\.0\.0\.1:\d+)/.exec(withoutColors(proxy.stdout)) ?? []
  const client = new Client(address, credentials.createInsecure())
  stops.push(() => client.close())
  return client
}
