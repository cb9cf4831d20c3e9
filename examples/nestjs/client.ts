// A NestJS client that finds its servers in etcd and balances by weight:
//   npm install && npm run build && npm run client [CALLS]
import 'reflect-metadata'
import { Inject, Injectable, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type ClientGrpc, type ClientProviderOptions, ClientsModule, Transport } from '@nestjs/microservices'
import { Registry } from 'disco-registry'
import { channelOptions, install } from 'disco-registry/grpc'
import { firstValueFrom, type Observable, timeout } from 'rxjs'

interface Greeter {
  sayHello(request: { readonly name: string }): Observable<{ readonly endpoint: string }>
}

/** Provides one registry for the whole application. */
@Module({
  providers: [{ provide: Registry, useFactory: () => Registry.open() }],
  exports: [Registry],
})
class RegistryModule implements OnApplicationShutdown {
  constructor(@Inject(Registry) private readonly registry: Registry) {}

  onApplicationShutdown(): void {
    this.registry.close()
  }
}

/** NestJS creates its channels with @grpc/grpc-js, which resolves etcd: targets after `install`. */
function greeterClient(registry: Registry): ClientProviderOptions {
  install({ discovery: registry })
  return {
    name: 'GREETER',
    transport: Transport.GRPC,
    options: {
      url: 'etcd:///hello',
      package: 'helloworld',
      protoPath: '../hello.proto',
      channelOptions: channelOptions({ policy: 'weighted_round_robin' }),
    },
  }
}

@Injectable()
class GreeterService implements OnModuleInit {
  private greeter!: Greeter

  constructor(@Inject('GREETER') private readonly client: ClientGrpc) {}

  onModuleInit(): void {
    this.greeter = this.client.getService<Greeter>('Greeter')
  }

  async greetedBy(name: string): Promise<string> {
    const { endpoint } = await firstValueFrom(this.greeter.sayHello({ name }).pipe(timeout(5_000)))
    return endpoint
  }
}

@Module({
  imports: [
    ClientsModule.registerAsync([
      { name: 'GREETER', imports: [RegistryModule], inject: [Registry], useFactory: greeterClient },
    ]),
    RegistryModule,
  ],
  providers: [GreeterService],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] })
const greeter = app.get(GreeterService)
const counts: Record<string, number> = {}
for (let call = 0; call < Number(process.argv[2] ?? 40); call++) {
  const endpoint = await greeter.greetedBy(`user-${call}`)
  counts[endpoint] = (counts[endpoint] ?? 0) + 1
}
console.log('weighted_round_robin', JSON.stringify(counts))
await app.close()
