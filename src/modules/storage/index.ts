import { module } from '../define.ts'
import { get } from './methods/get.ts'
import { list } from './methods/list.ts'
import { put } from './methods/put.ts'
import { remove } from './methods/remove.ts'
import { saveGameRoutes } from './rest-routes.ts'
import { storageService } from './service.ts'

/** JSON that users keep for themselves, such as settings and save games. */
export const storage = module({
  name: 'storage',
  service: storageService,
  methods: { get, list, put, remove },
  subscriptions: {},
  routes: saveGameRoutes,
})
