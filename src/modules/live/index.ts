import { module } from '../../rpc/index.ts'
import { getReplay } from './methods/getReplay.ts'
import { input } from './methods/input.ts'
import { onState } from './subscriptions/onState.ts'

export { LiveService } from './service.ts'

export const live = module({ name: 'live', methods: { getReplay, input }, subscriptions: { onState } })
