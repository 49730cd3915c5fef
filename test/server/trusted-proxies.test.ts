import { expect, test } from 'vitest'
import { addressOf, clientAddress, createProxyCheck } from '../../src/server/trusted-proxies.ts'

const v4 = (...bytes: number[]) => new Uint8Array(bytes).buffer
const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 7]).buffer
const v6 = new Uint8Array([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).buffer

test.for([
  ['no proxy', v4(10, 0, 0, 7), '1.2.3.4', 0, '10.0.0.7'],
  ['IPv4 in IPv6', mapped, '', 0, '10.0.0.7'],
  ['IPv6', v6, '', 0, '2001:db8::1'],
  ['one proxy: the entry that it wrote', v4(10, 0, 0, 7), '6.6.6.6, 1.2.3.4', 1, '1.2.3.4'],
  ['two proxies', v4(10, 0, 0, 7), '6.6.6.6, 1.2.3.4, 10.0.0.9', 2, '1.2.3.4'],
  ['fewer entries than proxies: not believed', v4(10, 0, 0, 7), '1.2.3.4', 3, '10.0.0.7'],
  ['no header at all', v4(10, 0, 0, 7), '', 1, '10.0.0.7'],
  ['an entry that is no address', v4(10, 0, 0, 7), 'unknown', 1, '10.0.0.7'],
  ['an entry with a port', v4(10, 0, 0, 7), '1.2.3.4:5678', 1, '1.2.3.4'],
  ['IPv6 with a port', v4(10, 0, 0, 7), '[2001:DB8:0::1]:443', 1, '2001:db8::1'],
  ['mapped in the header', v4(10, 0, 0, 7), '::ffff:1.2.3.4', 1, '1.2.3.4'],
] as const)('%s', ([, remote, header, hops, expected]) => {
  expect(clientAddress(addressOf(remote), header, hops)).toBe(expected)
})

test.for([
  ['10.1.2.3', ['10.0.0.0/8'], true],
  ['11.1.2.3', ['10.0.0.0/8'], false],
  ['10.1.2.4', ['10.1.2.3', '10.1.2.4'], true],
  ['2001:db8::7', ['10.0.0.0/8', '2001:db8::/32'], true],
  ['2001:db9::7', ['2001:db8::/32'], false],
] as const)('whether %s is one of the proxies %j: %s', ([peer, proxies, expected]) => {
  expect(createProxyCheck(1, proxies)(peer)).toBe(expected)
  expect(createProxyCheck(0, proxies)(peer)).toBe(false)
})
