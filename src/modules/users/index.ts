import { module } from '../define.ts'
import { getOne } from './methods/getOne.ts'

/** Profiles, and who is online. */
export const users = module({
  name: 'users',
  methods: { getOne },
  subscriptions: {},
})
