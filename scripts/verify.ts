// Plays a finished match again from its inputs and compares the result with the stored one:
//   npm run verify -- <matchId>
// The exit code is 0 when they are the same, 1 when they differ or cannot be compared, and 2 for wrong arguments. It reads the
// database at DATABASE_URL, also of .env, else the one under DATA_DIR, also while a server uses it.
import { withInstalledDatabase } from '../src/commands/installed-database.ts'
import { verify } from '../src/engine/verify.ts'
import { gameOf } from '../src/games/game.ts'
import { games } from '../src/games/index.ts'
import { splitOptions } from '../src/modules/matches/match-options.ts'
import { loadEnvFile } from './env-file.ts'

const [matchId, ...rest] = process.argv.slice(2)
if (matchId === undefined || matchId === '' || matchId.startsWith('-') || rest.length > 0) {
  process.stderr.write('usage: npm run verify -- <matchId>\n')
  process.exit(2)
}
loadEnvFile()
try {
  const { isSame, words } = await check(matchId)
  process.stdout.write(`match ${matchId}: ${words}\n`)
  process.exitCode = isSame ? 0 : 1
} catch (error) {
  process.stderr.write(`match ${matchId}: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function check(id: string): Promise<{ isSame: boolean; words: string }> {
  return withInstalledDatabase(process.env, async ({ db }) => {
    const match = await db.match.findUnique({
      where: { id },
      include: { seats: { orderBy: { seat: 'asc' } } },
    })
    if (!match) return { isSame: false, words: 'there is no such match' }
    if (match.status !== 'finished') return { isSame: false, words: `it is ${match.status}, not finished` }
    const game = gameOf(games, match.game)
    if (!game) return { isSame: false, words: `this build has no game ${match.game}` }
    const scores = match.seats.map(({ score }) => score)
    const options = splitOptions(match.options).rules
    const { differences, ticks, inputs } = verify(game, { ...match, options, scores })
    if (differences.length > 0) return { isSame: false, words: `differs in ${differences.join('; ')}` }
    const winner = match.winnerSeat === null ? 'nobody wins' : `seat ${match.winnerSeat} wins`
    const how = match.endReason === null ? winner : `${winner} by ${match.endReason}, which no simulation can tell`
    return {
      isSame: true,
      words: `${match.game}, ${ticks} ticks, ${inputs} inputs, ${scores.join(':')}, ${how}: verified`,
    }
  })
}
