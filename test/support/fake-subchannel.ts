import { connectivityState, experimental } from '@grpc/grpc-js'

/** A subchannel without a connection, whose state a test sets. */
export class FakeSubchannel implements experimental.SubchannelInterface {
  readonly states = new Set<experimental.ConnectivityStateListener>()
  readonly health = new Set<experimental.HealthListener>()
  references = 0
  /** Number of requests to connect. */
  attempts = 0
  private healthy = true

  constructor(
    private readonly address: experimental.SubchannelAddress,
    private state = connectivityState.READY,
  ) {}

  become(state: connectivityState, error?: string): void {
    const before = this.state
    this.state = state
    for (const listener of [...this.states]) listener(this, before, state, -1, error)
  }

  setHealthy(isHealthy: boolean): void {
    this.healthy = isHealthy
    for (const listener of [...this.health]) listener(isHealthy)
  }

  getConnectivityState = () => this.state
  getAddress = () => experimental.subchannelAddressToString(this.address)
  isHealthy = () => this.healthy
  realSubchannelEquals = (other: experimental.SubchannelInterface): boolean => other === this
  getChannelzRef = () => ({ kind: 'subchannel' as const, id: 0, name: '' }) as never
  getRealSubchannel = () => this as never
  getCallCredentials = () => null as never
  getChannel = () => null as never
  addConnectivityStateListener = (listener: experimental.ConnectivityStateListener) =>
    void this.states.add(listener)
  removeConnectivityStateListener = (listener: experimental.ConnectivityStateListener) =>
    void this.states.delete(listener)
  addHealthStateWatcher = (listener: experimental.HealthListener) => void this.health.add(listener)
  removeHealthStateWatcher = (listener: experimental.HealthListener) => void this.health.delete(listener)
  startConnecting = () => void this.attempts++
  ref = () => void this.references++
  unref = () => void this.references--
  throttleKeepalive(): void {}
  addDataWatcher(): void {}
}
