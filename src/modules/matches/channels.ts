import { type Channel, channel } from '../../rpc/index.ts'
import type { Lobby, Match } from './types.ts'

/** One match as it changes. */
export const matchChannel = (matchId: string): Channel<Match> => channel('matches.onUpdate', matchId)

/** The public matches of one game, or of all. */
export const lobbyChannel = (game?: string): Channel<Lobby> => channel('matches.onLobby', game)
