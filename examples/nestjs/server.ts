// A NestJS microservice that registers itself in etcd and, on SIGTERM, deregisters and shuts down without a failed call:
//   npm install && npm run build && npm run server [WEIGHT [PORT]]
import 'reflect-metadata'
import { Controller, Module, type OnApplicationShutdown } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices'
import { Registration, RegistrationModule } from './registration.module.js'

const weight = Number(process.argv[2] ?? 1)
const addr = `127.0.0.1:${process.argv[3] ?? 50051}`

@Controller()
class GreeterController {
  @GrpcMethod('Greeter', 'SayHello')
  sayHello({ name }: { readonly name: string }): { message: string; endpoint: string } {
    return { message: `Hello ${name}`, endpoint: addr }
  }
}

@Module({
  // DISCO_ENDPOINTS or ETCDCTL_ENDPOINTS name the members of etcd.
  imports: [RegistrationModule.forRoot({ service: 'hello', version: '1.0.0', addr, weight, ttlSeconds: 5 })],
  controllers: [GreeterController],
})
class AppModule implements OnApplicationShutdown {
  onApplicationShutdown(): void {
    console.log('every call was answered')
  }
}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
  transport: Transport.GRPC,
  options: { url: addr, package: 'helloworld', protoPath: '../hello.proto', gracefulShutdown: true },
  logger: ['warn', 'error'],
})
// On SIGTERM and other signals the module drains, then the server finishes its calls, then the process exits.
app.enableShutdownHooks([], { useProcessExit: true })
await app.listen()
// Registers after the server can answer calls.
await app.get(Registration).register()
console.log(`serving hello at ${addr}, weight ${weight}`)
