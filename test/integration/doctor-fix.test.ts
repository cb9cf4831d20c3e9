import { afterAll, beforeEach, expect, test } from 'vitest'
import { type Greeter, startGreeter } from '../../src/dev/greeter.js'
import { diagnose } from '../../src/doctor/diagnose.js'
import { fix, type RemovalResult, removalsOf } from '../../src/doctor/fix.js'
import { ALL_ENDPOINTS } from '../../src/domain/endpoint-filter.js'
import { grantLease, registration, storedText, wipe } from '../support/etcd-state.js'
import { freePorts } from '../support/ports.js'
import { openRegistry } from '../support/registry.js'
import { sharedEtcd } from '../support/shared-etcd.js'

const etcd = await sharedEtcd()
const registry = await openRegistry([etcd.endpoint])
const [port = 0] = await freePorts(1)
const LEFTOVER = `127.0.0.1:${port}`
const KEEPER = '127.0.0.1:1'
const probe = { deadlineMs: 20_000 }
const signal = new AbortController().signal

afterAll(() => registry.close())
beforeEach(async () => {
  await wipe(etcd)
  await etcd.ctl('put', ...registration('hello', LEFTOVER))
  await etcd.ctl('put', ...registration('hello', KEEPER), `--lease=${await grantLease(etcd, 60)}`)
})

/** The outcomes of the removal if `meanwhile` runs between the examination and the removal. */
async function outcomeAfter(meanwhile: () => Promise<unknown>): Promise<RemovalResult['outcome'][]> {
  const request = { service: 'hello', filter: ALL_ENDPOINTS, probe, isShared: false }
  const { examination, findings } = await diagnose(registry, request, () => undefined, signal)
  const removals = removalsOf(findings, examination.services)
  expect(removals.map(({ endpoints: [{ addr }] }) => addr)).toEqual([LEFTOVER])
  await meanwhile()
  const outcomes: RemovalResult['outcome'][] = []
  const listedAt = examination.revision ?? 0
  await fix(registry, removals, { probe, listedAt }, ({ outcome }) => outcomes.push(outcome), signal)
  return outcomes
}

const stands = async () => (await storedText(etcd, `/hello/${LEFTOVER}`)) !== ''

test('doctor --fix removes a leftover registration if nothing has changed', async () => {
  expect(await outcomeAfter(async () => undefined)).toEqual(['removed'])
  expect(await stands()).toBe(false)
})

test('doctor --fix leaves a key that was written since the examination', async () => {
  expect(await outcomeAfter(() => etcd.ctl('put', ...registration('hello', LEFTOVER)))).toEqual(['changed'])
  expect(await stands()).toBe(true)
})

test('doctor --fix leaves a drained leftover if the last weighted endpoint lost its weight: without weights, drained endpoints get traffic', async () => {
  const outcomes = await outcomeAfter(() =>
    etcd.ctl('put', ...registration('hello', KEEPER, { weight: 0 }), '--ignore-lease'),
  )
  expect(outcomes).toEqual(['changed'])
  expect(await stands()).toBe(true)
})

test('doctor --fix leaves a registration whose server was started meanwhile', async () => {
  let greeter: Greeter | undefined
  try {
    const outcomes = await outcomeAfter(async () => {
      greeter = await startGreeter({ port })
    })
    expect(outcomes).toEqual(['alive'])
    expect(await stands()).toBe(true)
  } finally {
    greeter?.stop()
  }
})

test('doctor --fix reports a key that another client removed as gone', async () => {
  expect(await outcomeAfter(() => etcd.ctl('del', `/hello/${LEFTOVER}`))).toEqual(['gone'])
})
