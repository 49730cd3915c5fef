import { expect, test } from 'vitest'
import { talk } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

test('a method that is named as what every object inherits is refused as any other unknown one', async () => {
  await using rig = await startRig()
  const answer = await talk(rig.port, 'CONSTRUCTOR /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 405 /)
  expect(answer).toContain('Allow: ')
  expect(rig.errors).toEqual([])
})
