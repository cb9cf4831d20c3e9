import { connectivityState, experimental } from '@grpc/grpc-js'

/** A subchannel that is READY, without a connection. */
export class ReadySubchannel implements experimental.SubchannelInterface {
  constructor(private readonly address: experimental.SubchannelAddress) {}

  getConnectivityState = () => connectivityState.READY
  getAddress = () => experimental.subchannelAddressToString(this.address)
  isHealthy = () => true
  realSubchannelEquals = (other: experimental.SubchannelInterface): boolean => other === this
  getChannelzRef = () => ({ kind: 'subchannel' as const, id: 0, name: '' }) as never
  getRealSubchannel = () => this as never
  getCallCredentials = () => null as never
  getChannel = () => null as never
  addConnectivityStateListener(): void {}
  removeConnectivityStateListener(): void {}
  startConnecting(): void {}
  throttleKeepalive(): void {}
  ref(): void {}
  unref(): void {}
  addHealthStateWatcher(): void {}
  removeHealthStateWatcher(): void {}
  addDataWatcher(): void {}
}
