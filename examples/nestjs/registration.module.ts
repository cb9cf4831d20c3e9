// A module that registers a NestJS microservice in etcd, and drains it before the application stops. Copy it into your
// program, and call `app.enableShutdownHooks()` there.
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Injectable,
  Logger,
  Module,
} from '@nestjs/common'
import { type LiveRegistration, type RegisterOptions, register } from 'disco-registry'

/** Long enough for every client to have heard that this endpoint is drained. */
const DRAIN_MS = 500

@Injectable()
export class Registration implements BeforeApplicationShutdown {
  readonly #logger = new Logger(Registration.name)
  #live: Promise<LiveRegistration> | null = null

  constructor(private readonly options: RegisterOptions) {}

  /**
   * To be called once the application listens: Nest runs its own hooks for the start, such as
   * `onApplicationBootstrap`, before a microservice listens.
   */
  async register(): Promise<void> {
    this.#live = register(this.options)
    const live = await this.#live
    live.on('trouble', (cause) => this.#logger.warn(cause.message))
    live.on('changed', ({ registered }) => this.#logger.log(`weight ${registered.weight}`))
  }

  /**
   * Weight 0, then out of the registry; only after that does Nest close the server. Without etcd, the lease lapses by
   * itself: an outage must not cost the running calls.
   */
  async beforeApplicationShutdown(): Promise<void> {
    try {
      const live = await this.#live
      await live?.drain({ graceMs: DRAIN_MS })
    } catch (error) {
      this.#logger.warn(error instanceof Error ? error.message : error)
    }
  }
}

@Module({})
export class RegistrationModule {
  static forRoot(options: RegisterOptions): DynamicModule {
    const provider = { provide: Registration, useFactory: () => new Registration(options) }
    return { module: RegistrationModule, providers: [provider], exports: [Registration] }
  }
}
