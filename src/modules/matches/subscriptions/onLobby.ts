import { z } from 'zod'
import { subscription } from '../../define.ts'
import { lobbyChannel } from '../lobby.ts'
import { matchService } from '../service.ts'
import { Lobby } from '../types.ts'

/** Every event is the whole list. */
export const onLobby = subscription({
  summary: 'Follows the newest public matches that wait or are live, of one game or of all.',
  access: 'anyone',
  delivery: 'latest',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ game: z.string().optional() }),
  event: Lobby,

  async open({ ctx, input }) {
    const { seq, lobby } = await ctx.use(matchService).pages.followLobby(input.game)
    return { channel: lobbyChannel(input.game), seq, snapshot: lobby }
  },
})
