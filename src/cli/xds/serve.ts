import { randomBytes } from 'node:crypto'
import type { SecureServerOptions } from 'node:http2'
import type { ListenAddress } from '../../domain/address.js'
import type { DiscoError } from '../../domain/errors.js'
import type { Selector } from '../../domain/selector.js'
import { xdsAdmin } from '../../xds/admin.js'
import { ListenerCredentials } from '../../xds/listener.js'
import { XdsMetrics } from '../../xds/metrics.js'
import type { ListSource } from '../../xds/service-lists.js'
import { type XdsObserver, XdsServer } from '../../xds/xds-server.js'
import { LogFile } from '../output/log-file.js'
import { type AdminService, renewAtHangUp, untilSettled } from '../serving.js'
import { type StopSignals, untilAborted } from '../stop-signals.js'
import { absentServices, emptyCanaries } from './absences.js'
import { ClientLog } from './client-log.js'
import { type XdsDoc, xdsDoc } from './document.js'
import type { XdsView } from './view.js'

/** How long a client may take to accept or reject a response. gRPC clients do so immediately. */
const ANSWER_MS = 60_000

/** A control plane as the command line describes it. */
export interface XdsPlan {
  readonly sources: readonly ListSource[]
  /** Finds out why a named service has no endpoint. Must not reject. */
  whyAbsent(source: ListSource): Promise<DiscoError>
  readonly listen: ListenAddress
  readonly canary: Selector | null
  /** Null for plaintext. */
  readonly tls: SecureServerOptions | null
  /** Reads the certificates again. @throws DiscoError USAGE for files that cannot be used */
  readTls(): Promise<SecureServerOptions | null>
  /** Null without an admin handler. */
  readonly admin: AdminService | null
  /** The path of the client log; null without a client log. */
  readonly log: string | null
}

/** The output of a running control plane. */
export interface XdsOutput {
  readonly view: XdsView
  /** @param problem a clause about lists that have not arrived; null if all have arrived */
  started(doc: XdsDoc, problem: string | null): void
}

/** Runs a control plane until the first signal. @throws DiscoError if it cannot listen or open its log */
export async function serve(plan: XdsPlan, { view, started }: XdsOutput, stop: StopSignals): Promise<void> {
  const metrics = new XdsMetrics()
  const file = plan.log === null ? null : LogFile.open(plan.log, 'log', (text) => view.problem(text))
  const log = file && new ClientLog(file, () => new Date())
  const credentials = new ListenerCredentials(plan.tls)
  const server = await XdsServer.start({
    sources: plan.sources,
    listen: plan.listen,
    credentials,
    canary: plan.canary,
    instance: randomBytes(3).toString('hex'),
    answerMs: ANSWER_MS,
    random: Math.random,
    observer: observerOf(view, metrics, log, stop.once),
  })
  await using admin = plan.admin
    ? await plan.admin
        .start(xdsAdmin({ server, metrics, token: plan.admin.token }))
        .catch(async (error: unknown) => {
          await server.close()
          throw error
        })
    : null
  if (admin) view.admin(admin.address)
  const endRenewal = renewAtHangUp(stop, file, view, async () => {
    const tls = await plan.readTls()
    if (tls) credentials.renew(tls)
  })
  await untilSettled(() => server.isSettled, stop.once)
  started(xdsDoc(server, plan.tls !== null, plan.canary), server.problem)
  void remarkAbsences(plan, server, view, stop.once)
  await untilAborted(stop.once)
  endRenewal()
  await server.close()
  await file?.close()
}

function observerOf(
  view: XdsView,
  metrics: XdsMetrics,
  log: ClientLog | null,
  stop: AbortSignal,
): XdsObserver {
  return {
    opened: (stream) => log?.opened(stream),
    subscribedUnknown: (stream, unknown, known) => {
      metrics.subscribedUnknown(unknown)
      view.subscribedUnknown(stream, unknown, known)
    },
    responded: (_, type) => metrics.responded(type),
    answered: (stream, answer) => {
      metrics.answered(answer.type, answer.rejection)
      log?.answered(stream, answer)
      view.answered(stream, answer)
    },
    closed: (stream, reason) => {
      metrics.closed(reason)
      log?.closed(stream, reason)
      if (reason !== null && !stop.aborted) view.closed(stream, reason)
    },
    outage: (outage) => view.outage(outage),
    built: (service, assignment) => view.built(service, assignment),
  }
}

/** Reports named services without endpoints, and a canary that selects no endpoint. */
async function remarkAbsences(
  { sources, canary, whyAbsent }: XdsPlan,
  server: XdsServer,
  view: XdsView,
  stop: AbortSignal,
): Promise<void> {
  if (server.problem !== null) return
  const named = sources.flatMap(({ service }) => service ?? [])
  if (canary) for (const error of emptyCanaries(server, canary, named)) view.emptyCanary(error)
  const absent = absentServices(server, named)
  for (const source of sources) {
    if (source.service === null || !absent.includes(source.service)) continue
    const why = await whyAbsent(source)
    if (stop.aborted) return
    view.absent(why)
  }
}
