// OpenTelemetry for a client's load balancing: the endpoint of each call, the endpoints in rotation, and failed
// connections. Needs only @opentelemetry/api; without an SDK it costs next to nothing. Copy this file into your program,
// and pass `observer` to channelOptions() and `tracing` to the client's interceptors.
import { InterceptingCall, type Interceptor, status } from '@grpc/grpc-js'
import { type Attributes, metrics, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { markCall, type Observer, type RegisteredEndpoint } from 'disco-registry/grpc'

const meter = metrics.getMeter('disco-registry')
const picks = meter.createCounter('disco.picks', { description: 'Attempts of calls by endpoint' })
const weights = meter.createGauge('disco.rotation.weight', { description: '0: not in rotation' })
const endpoints = meter.createGauge('disco.endpoints', { description: 'Endpoints in the registry' })
const stale = meter.createGauge('disco.stale', { description: '1 while the registry is unreachable' })
const dropped = meter.createCounter('disco.connections.dropped')
const failed = meter.createCounter('disco.connections.failed')

/** Spans of outstanding calls, by the id under which `picked` reports the call. */
const spans = new Map<number, Span>()
let lastId = 0

/** Records the load balancing of a channel as metrics, and the endpoint of each call as attributes of its span. */
export const observer: Observer = {
  picked(endpoint, callId) {
    picks.add(1, attributesOf(endpoint))
    spans.get(callId)?.setAttributes(attributesOf(endpoint))
  },
  rotated(changes) {
    for (const { endpoint, weight, isAway } of changes)
      weights.record(isAway ? 0 : weight, attributesOf(endpoint))
  },
  resolved(list) {
    endpoints.record(list.selected.length)
    stale.record(list.stale === null ? 0 : 1)
  },
  dropped: (endpoint, reason) => dropped.add(1, { ...attributesOf(endpoint), reason }),
  failed: (endpoint) => failed.add(1, attributesOf(endpoint)),
}

/** Creates a span for each call. */
export const tracing: Interceptor = (options, nextCall) => {
  const name = options.method_definition.path.slice(1)
  const span = trace.getTracer('disco-registry').startSpan(name, { kind: SpanKind.CLIENT })
  const id = ++lastId
  spans.set(id, span)
  return new InterceptingCall(nextCall(options), {
    start: (metadata, _listener, next) =>
      next(markCall(metadata, id), {
        onReceiveStatus(result, done) {
          spans.delete(id)
          span.setAttribute('rpc.grpc.status_code', result.code)
          if (result.code !== status.OK)
            span.setStatus({ code: SpanStatusCode.ERROR, message: result.details })
          span.end()
          done(result)
        },
      }),
  })
}

function attributesOf({ registration: { service, version, addr } }: RegisteredEndpoint): Attributes {
  return { 'disco.service': service, 'disco.version': version, 'server.address': addr }
}
