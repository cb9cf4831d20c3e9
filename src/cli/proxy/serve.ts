import { setTimeout as delay } from 'node:timers/promises'
import type { ListenAddress } from '../../domain/address.js'
import { MAX_TIMER_MS } from '../../domain/duration.js'
import { proxyAdmin } from '../../proxy/admin.js'
import type { Certificates } from '../../proxy/certificates.js'
import { ProxyMetrics } from '../../proxy/metrics.js'
import { ProxyServer, type ProxySettings } from '../../proxy/proxy-server.js'
import { type AdminService, renewAtHangUp, untilSettled } from '../serving.js'
import { type StopSignals, untilAborted } from '../stop-signals.js'
import { AccessLog } from './access-log.js'
import { type ProxyDoc, proxyDoc } from './document.js'
import type { ProxyScreen } from './screen.js'
import type { ProxyView } from './view.js'

/** A proxy as the command line describes it. */
export interface ProxyPlan {
  readonly settings: Omit<ProxySettings, 'listen' | 'dialerOf' | 'random' | 'observerOf' | 'ended'>
  readonly listen: ListenAddress
  /** The average maximum age of a connection; null if there is no maximum. */
  readonly connectionAgeMs: number | null
  readonly certificates: Certificates
  /** Null without an admin handler. */
  readonly admin: AdminService | null
  /** The path of the access log; null without an access log. */
  readonly accessLog: string | null
  /** How long calls may take to finish when the proxy ends. */
  readonly drainMs: number
}

/** The output of a running proxy. */
export interface ProxyOutput {
  readonly view: ProxyView
  /** Null if there is no terminal. */
  readonly screen: ProxyScreen | null
  started(doc: ProxyDoc): void
}

/** Runs a proxy until the first signal, then drains it; a second signal ends it at once. @throws DiscoError */
export async function serve(plan: ProxyPlan, output: ProxyOutput, stop: StopSignals): Promise<void> {
  const { certificates, settings, drainMs } = plan
  const { view, screen } = output
  const metrics = new ProxyMetrics()
  const log =
    plan.accessLog === null ? null : AccessLog.open(plan.accessLog, (sentence) => view.problem(sentence))
  const proxy = await ProxyServer.start({
    ...settings,
    listen: {
      ...plan.listen,
      tls: certificates.listener,
      connectionAgeMs: () => drawnAge(plan.connectionAgeMs),
    },
    dialerOf: (authority) => certificates.dialerOf(authority),
    random: Math.random,
    observerOf: (target) => ({ ...view.observer(target), ...screen?.observer() }),
    ended: (end) => {
      metrics.count(end)
      log?.write(end, new Date())
      screen?.ended(end)
    },
  })
  await using admin = plan.admin
    ? await plan.admin
        .start(proxyAdmin({ proxy, metrics, token: plan.admin.token }))
        .catch(async (error: unknown) => {
          const drained = proxy.drain()
          proxy.cut()
          await drained
          throw error
        })
    : null
  if (admin) view.admin(admin.address)
  const endRenewal = renewAtHangUp(stop, log, view, async () => {
    await certificates.refresh()
    if (certificates.listener) proxy.renew(certificates.listener)
  })
  screen?.show(proxy)
  await untilSettled(() => proxy.isSettled, stop.once)
  output.started(proxyDoc(proxy, settings.policy.name))
  await untilAborted(stop.once)
  view.draining(proxy.calls, drainMs)
  await drain(proxy, drainMs, stop.twice, () => screen?.freeze())
  endRenewal()
  await log?.close()
}

/** The maximum age of one connection, up to a tenth more or less: connections opened together do not end together. */
function drawnAge(ageMs: number | null): number | null {
  return ageMs === null ? null : Math.min(MAX_TIMER_MS, ageMs * (0.9 + Math.random() * 0.2))
}

async function drain(
  proxy: ProxyServer,
  drainMs: number,
  now: AbortSignal,
  ended: () => void,
): Promise<void> {
  const drained = proxy.drain(ended)
  const over = new AbortController()
  // Rejects only when it is aborted.
  const late = delay(drainMs, undefined, { signal: over.signal }).catch(() => undefined)
  await Promise.race([drained, late, untilAborted(now)])
  over.abort()
  proxy.cut()
  await drained
}
