import { expect, test } from 'vitest'
import { addressGroups } from '../../src/rpc/index.ts'

test.each([
  ['192.0.2.1', '192.0.2.1', null],
  ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['2001:db8::ffff:ffff:ffff:ffff', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8:1:3:3:4:5:6', '2001:db8:1:3::/64', '2001:db8:1::/48'],
  ['64:ff9b::c000:201', '64:ff9b:0:0::/64', '64:ff9b:0::/48'],
  ['2001:db8::', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['::1', '0:0:0:0::/64', '0:0:0::/48'],
  ['', '', null],
])('%s counts as %s, in %s', (ip, group, wider) => {
  expect(addressGroups(ip)).toEqual(wider === null ? [group] : [group, wider])
})
