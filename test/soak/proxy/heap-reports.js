// Preloaded into the proxy: at SIGUSR2 it collects garbage and prints what is still in use.
import { writeSync } from 'node:fs'

process.on('SIGUSR2', () => {
  globalThis.gc()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  writeSync(2, `memory ${heapUsed} ${arrayBuffers} ${rss}\n`)
})
