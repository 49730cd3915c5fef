import { module } from '../../rpc/index.ts'
import { input } from './methods/input.ts'
import { onState } from './subscriptions/onState.ts'

export { LiveService } from './service.ts'

export const live = module({ name: 'live', methods: { input }, subscriptions: { onState } })
