// A module that registers a NestJS microservice in etcd, and drains it before the application stops. Copy this file into
// your program, and call `app.enableShutdownHooks()` there.
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Injectable,
  Logger,
  Module,
} from '@nestjs/common'
import { type LiveRegistration, type RegisterOptions, register } from 'disco-registry'

/** Long enough for every client to receive weight 0. */
const DRAIN_MS = 500

@Injectable()
export class Registration implements BeforeApplicationShutdown {
  readonly #logger = new Logger(Registration.name)
  #live: Promise<LiveRegistration> | null = null

  constructor(private readonly options: RegisterOptions) {}

  /**
   * To be called after `listen`. Nest's own hooks for the start, such as `onApplicationBootstrap`, run before a
   * microservice listens.
   */
  async register(): Promise<void> {
    this.#live = register(this.options)
    const live = await this.#live
    live.on('trouble', (cause) => this.#logger.warn(cause.message))
    live.on('changed', ({ registered }) => this.#logger.log(`weight ${registered.weight}`))
  }

  /**
   * Sets weight 0, then deregisters. Nest closes the server after that. If etcd is unreachable, the lease expires by
   * itself, and outstanding calls still get their replies.
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
