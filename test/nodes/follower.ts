import type { RallyClient } from '../netcode/players.ts'

/** Follows a match, and checks that no event is left out, doubled or out of order. */
export class Follower {
  seq = -1
  events = 0
  readonly problems: string[] = []

  constructor(client: RallyClient, matchId: Parameters<RallyClient['matches']['onUpdate']>[0]['matchId']) {
    client.matches.onUpdate(
      { matchId },
      {
        next: (_match, { kind, seq }) => {
          if (kind === 'event' && seq !== this.seq + 1) this.problems.push(`event ${seq} after ${this.seq}`)
          if (kind === 'snapshot' && seq < this.seq) this.problems.push(`snapshot ${seq} after ${this.seq}`)
          if (kind === 'event') this.events++
          this.seq = seq
        },
        error: (error) => void this.problems.push(error.message),
      },
    )
  }
}
