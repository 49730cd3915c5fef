import { service } from '../platform.ts'
import { NodeOverview } from './overview.ts'

export const adminService = service('admin', (platform) => ({ overview: new NodeOverview(platform) }))
