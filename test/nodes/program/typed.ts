import { Client, credentials } from '@grpc/grpc-js'
import { DiscoError, type Endpoint, type LiveRegistration, Registry, register } from 'disco-registry'
import { channelOptions, install, setHashKey, targetOf } from 'disco-registry/grpc'
import { findPolicy, POLICIES } from 'disco-registry/policies'

export async function client(): Promise<readonly Endpoint[]> {
  const registry = await Registry.open({ endpoints: ['127.0.0.1:2379'] })
  install({ discovery: registry })
  const made = new Client(
    targetOf('hello'),
    credentials.createInsecure(),
    channelOptions({ policy: findPolicy('wrr').configure({}) }),
  )
  made.close()
  try {
    return (await registry.list('hello')).endpoints
  } catch (error) {
    if (error instanceof DiscoError && error.code === 'ETCD_UNREACHABLE') return []
    throw error
  }
}
export async function server(): Promise<LiveRegistration> {
  const registration = await register({ service: 'hello', addr: ':1001', weight: 5 })
  registration.on('changed', ({ registered }) => console.log(registered.weight))
  return registration
}
console.log(POLICIES.length, setHashKey)
