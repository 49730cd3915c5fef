import { expect, test } from 'vitest'
import { createDraining } from '../../src/bus/draining.ts'
import { createMemoryBus, type MemoryCluster } from '../../src/bus/memory.ts'

/** Starts nodes on one bus. */
function startCluster() {
  const cluster: MemoryCluster = new Map()
  return () => {
    const bus = createMemoryBus(
      (error) => {
        throw error
      },
      { cluster },
    )
    return { bus, draining: createDraining(bus) }
  }
}

/** What was published has arrived, and was answered. */
const delivered = () => new Promise(setImmediate)

test('a node that starts is no other node until it listens', async () => {
  const start = startCluster()
  const [a, b] = [start().draining, start().draining]
  expect(a.hasOtherNode()).toBe(false)
  b.markListening()
  await delivered()
  expect([a.hasOtherNode(), b.hasOtherNode()]).toEqual([true, false])
  a.markListening()
  await delivered()
  expect([a.hasOtherNode(), b.hasOtherNode()]).toEqual([true, true])
})

test('a node that starts learns at once who listens', async () => {
  const start = startCluster()
  const a = start().draining
  a.markListening()
  const b = start().draining
  b.markListening()
  await delivered()
  expect([a.hasOtherNode(), b.hasOtherNode()]).toEqual([true, true])
})

test('a node that starts, or was cut off, learns who leaves', async () => {
  const start = startCluster()
  const a = start().draining
  a.markListening()
  a.begin()
  const b = start().draining
  b.markListening()
  await delivered()
  a.tell()
  await delivered()
  expect([a.hasOtherNode(), b.hasOtherNode()]).toEqual([true, false])
})

test('a node that is gone is no other node', async () => {
  const start = startCluster()
  const [a, b] = [start(), start()]
  b.draining.markListening()
  await delivered()
  expect(a.draining.hasOtherNode()).toBe(true)
  await b.bus.close()
  await delivered()
  expect(a.draining.hasOtherNode()).toBe(false)
})
