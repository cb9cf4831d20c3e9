// A client that records its load balancing with OpenTelemetry, and prints the records that an exporter would send:
//   npm install && npm run build && npm run client [CALLS]
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { Registry } from 'disco-registry'
import { channelOptions, install } from 'disco-registry/grpc'

// The SDK is set up first, because metrics that are created before it are not recorded.
const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter })
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
const spanExporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }),
)
const { observer, tracing } = await import('./telemetry.js')

const calls = Number(process.argv[2] ?? 40)
const { helloworld } = loadPackageDefinition(loadSync('../hello.proto')) as unknown as {
  helloworld: { Greeter: ServiceClientConstructor }
}
const registry = await Registry.open()
install({ discovery: registry })
const client = new helloworld.Greeter('etcd:///hello', credentials.createInsecure(), {
  ...channelOptions({ observer }),
  interceptors: [tracing],
})
const counts: Record<string, number> = {}
for (let call = 0; call < calls; call++) {
  const endpoint = await sayHello(`user-${call}`)
  counts[endpoint] = (counts[endpoint] ?? 0) + 1
}
client.close()
registry.close()
console.log('weighted_round_robin', JSON.stringify(counts))

await reader.forceFlush()
for (const { descriptor, dataPoints } of metricExporter.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? []) {
  for (const { attributes, value } of dataPoints)
    console.log(descriptor.name, JSON.stringify(attributes), value)
}
const spans = spanExporter.getFinishedSpans()
console.log(
  spans.length,
  'spans, the last one:',
  spans.at(-1)?.name,
  JSON.stringify(spans.at(-1)?.attributes),
)
await reader.shutdown()

/** Makes one call, and returns the endpoint that answered. */
function sayHello(name: string): Promise<string> {
  const options = { deadline: Date.now() + 5_000 }
  return new Promise((resolve, reject) => {
    client.SayHello?.({ name }, options, (error: Error | null, reply: { endpoint: string }) =>
      error ? reject(error) : resolve(reply.endpoint),
    )
  })
}
