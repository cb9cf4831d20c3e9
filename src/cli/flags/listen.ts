import { Flags } from '@oclif/core'
import { hostPort, type ListenAddress, readAddress, withoutSecrets } from '../../domain/address.js'
import { readBy } from './custom.js'

/** An address to listen at: `HOST:PORT`, `:PORT` or `PORT`. Without a host, only this machine can connect. */
export const listenFlag = Flags.custom<ListenAddress>({
  helpValue: '[HOST]:PORT',
  defaultHelp: async ({ options }) => {
    return hostPort(options.default as ListenAddress)
  },
  parse: readBy(
    readListenAddress,
    'a TCP address to listen at with a port up to 65535, such as :9001 or 127.0.0.1:9001',
    withoutSecrets,
  ),
})

function readListenAddress(text: string): ListenAddress | undefined {
  const whole = /^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text
  const isAnyPort = whole.endsWith(':0')
  const address = readAddress(isAnyPort ? whole.replace(/0$/, '1') : whole)
  if ('problem' in address || address.kind !== 'tcp') return undefined
  return { host: address.host, port: isAnyPort ? 0 : address.port }
}
