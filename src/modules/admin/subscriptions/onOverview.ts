import { z } from 'zod'
import { subscription } from '../../define.ts'
import { adminService } from '../service.ts'
import { Overview } from '../types.ts'

/** A new overview comes every two seconds. */
export const onOverview = subscription({
  summary: 'Follows the whole installation: its nodes, sockets, users, matches, requests and memory.',
  access: 'admin',
  delivery: 'latest',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({}),
  event: Overview,

  async open({ ctx }) {
    const { overview } = ctx.use(adminService)
    const { seq, overview: snapshot } = await overview.read()
    return { channel: overview.channel, seq, snapshot }
  },
})
