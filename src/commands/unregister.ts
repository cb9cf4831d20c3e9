import { DiscoCommand } from '../cli/base-command.js'
import { type UnregisterDoc, unregisterDoc } from '../cli/change/document.js'
import { returnUnknownLine } from '../cli/change/return-unknown.js'
import { completeAddressOrKey, refuseSwapped, requireServiceName } from '../cli/flags/arguments.js'
import { changeFlags, placeFlags, versionFlag } from '../cli/flags/base.js'
import { argument } from '../cli/flags/custom.js'
import { StopSignals } from '../cli/stop-signals.js'
import { visible } from '../cli/terminal/visible.js'

export default class Unregister extends DiscoCommand {
  static override aliases = ['rm', 'deregister']
  static override summary = 'Remove an endpoint'
  static override description =
    'Deletes the key and leaves its lease to its owner. Looks for a second whether a registrar puts the key back. An endpoint that is not registered is not an error.'
  static override examples = [
    '<%= config.bin %> unregister hello 1.2.3.4:1001',
    '<%= config.bin %> unregister hello 1.2.3.4:1001 --version 1.0.0',
  ]
  static override args = {
    service: argument({ required: true, description: 'the service' }),
    addr: argument({ required: true, description: 'address of the endpoint, or its etcd key' }),
  }
  static override flags = { version: versionFlag, ...placeFlags, ...changeFlags }

  async run(): Promise<UnregisterDoc> {
    const { args, flags } = await this.parse(Unregister)
    refuseSwapped(args.service, args.addr, ['unregister', args.addr, args.service])
    const service = requireServiceName(args.service, this.place(flags).layout)
    const addr = await completeAddressOrKey(args.addr, 'disco unregister hello 1.2.3.4:1001')
    await this.confirmChange(flags, `unregister ${service} ${addr}`)
    const registry = await this.openRegistry(flags)
    using stop = new StopSignals()
    const unregistered = await registry.unregister(
      { service, addr, version: flags.version },
      { endWait: stop.once },
    )
    const doc = unregisterDoc(service, unregistered)
    const { returnUnknown } = unregistered
    if (returnUnknown) this.remark(returnUnknownLine(returnUnknown, this.palette(flags, process.stderr)))
    return this.print(flags, doc, {
      table: (palette) => {
        const name = `${visible(service)} ${visible(addr)}`
        if (doc.removed.length === 0) {
          const why = unregistered.wentMeanwhile ? 'was removed by another client' : 'was not registered'
          return `${palette.yellow('!')} ${name} ${why} (rev ${doc.rev})`
        }
        return `${palette.green('✓')} ${name} unregistered (rev ${doc.rev})`
      },
      lines: () =>
        doc.removed.map((removed) => ({
          schema: 'disco.unregistered/v1',
          service,
          rev: doc.rev,
          ...removed,
        })),
      names: () => doc.removed.map((removed) => removed.addr),
    })
  }
}
