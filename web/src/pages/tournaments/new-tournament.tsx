import { useState } from 'react'
import type { GameName } from '../../../../src/games/index.ts'
import type { TournamentFormat } from '../../../../src/modules/tournaments/types.ts'
import { gameNames, gameViews } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Choice, Field, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { FORMATS } from './tournament-words.ts'

const formats: readonly TournamentFormat[] = ['single-elimination', 'round-robin']

/** Opens a tournament and goes to its page. */
export function NewTournament() {
  const rally = useRally()
  const [name, setName] = useState('')
  const [game, setGame] = useState<GameName>('pong')
  const [format, setFormat] = useState<TournamentFormat>('single-elimination')
  const [size, setSize] = useState(8)
  const { about, sizes } = FORMATS[format]
  const own = sizes.includes(size) ? size : (sizes[0] ?? 4)
  const create = useAction(async (call) => {
    const { id } = await rally.tournaments.create({ name, game, format, size: own }, call)
    navigate(paths.tournament(id))
  })
  return (
    <section className="card" aria-labelledby="new-tournament">
      <Form onSubmit={() => create.run()}>
        <h2 id="new-tournament">Open a tournament</h2>
        <Field
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          minLength={3}
          maxLength={60}
          required
          data-testid="tournament-name"
        />
        <Choice
          legend="Game"
          value={game}
          onChange={setGame}
          options={gameNames.map((value) => ({ value, label: gameViews[value].label, testId: `tournament-${value}` }))}
        />
        <Choice
          legend="How it is decided"
          value={format}
          onChange={setFormat}
          hint={about}
          options={formats.map((value) => ({ value, label: FORMATS[value].label, testId: `format-${value}` }))}
        />
        <Choice
          legend="Players at most"
          value={String(own)}
          onChange={(value) => setSize(Number(value))}
          options={sizes.map((each) => ({ value: String(each), label: each, testId: `size-${each}` }))}
        />
        <Button type="submit" look="primary" wide busy={create.busy} data-testid="create-tournament">
          Open the tournament
        </Button>
        <ErrorNotice error={create.error} />
      </Form>
    </section>
  )
}
