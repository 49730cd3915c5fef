import { module } from '../define.ts'
import { getReplay } from './methods/getReplay.ts'
import { input } from './methods/input.ts'
import { liveService } from './service.ts'
import { onState } from './subscriptions/onState.ts'

export const live = module({
  name: 'live',
  service: liveService,
  jobs: {
    countSpectators: {
      everyMs: 2_000,
      runsOn: 'every node',
      run: ({ use }) => use(liveService).spectators.count(),
    },
  },
  methods: { getReplay, input },
  subscriptions: { onState },
})
