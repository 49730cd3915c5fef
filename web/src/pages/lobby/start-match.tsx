import { useState } from 'react'
import type { GameName } from '../../../../src/games/index.ts'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { gameNames, gameViews } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Choice, Form } from '../../ui/field.tsx'
import { BotIcon, KeyboardIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

const SEEN_BY = {
  public: 'It is listed in the lobby; anybody can take the other seat.',
  private: 'It is listed nowhere; you send the link or the code.',
} as const

/** Starts a match against another player, the bot, or a person at the same keyboard. */
export function StartMatch() {
  const [game, setGame] = useState<GameName>('pong')
  // By game, so that choosing another game and coming back keeps the choice.
  const [chosen, setChosen] = useState<Readonly<Partial<Record<GameName, Match['options']>>>>({})
  const [visibility, setVisibility] = useState<Match['visibility']>('public')
  const create = useCreateMatch()
  const [asked, setAsked] = useState<NewMatch['mode'] | null>(null)
  const { choices } = gameViews[game]
  const options: Match['options'] = {
    ...Object.fromEntries(choices.map(({ option, preset }) => [option, preset])),
    ...chosen[game],
  }
  const isBusy = (mode: NewMatch['mode']) => create.busy && asked === mode
  const start = (mode: NewMatch['mode']) => {
    if (create.busy) return
    setAsked(mode)
    create.run({ game, mode, visibility: mode === 'casual' ? visibility : 'private', options })
  }

  return (
    <section className="card" aria-labelledby="start-match">
      <Form onSubmit={() => start('casual')}>
        <h2 id="start-match">Start a match</h2>
        <Choice
          legend="Game"
          value={game}
          onChange={setGame}
          options={gameNames.map((name) => {
            const { Mark, label } = gameViews[name]
            return {
              value: name,
              testId: `game-${name}`,
              label: (
                <>
                  <Mark />
                  {label}
                </>
              ),
            }
          })}
        />
        {choices.map(({ option, legend, values }) => (
          <Choice
            key={`${game} ${option}`}
            legend={legend}
            value={String(options[option])}
            onChange={(text) => {
              const value = values.find((each) => String(each) === text)
              setChosen((before) => ({ ...before, [game]: { ...before[game], [option]: value } }))
            }}
            options={values.map((value) => ({
              value: String(value),
              label: value,
              testId: `choice-${option}-${value}`,
            }))}
          />
        ))}
        <Choice
          legend="Who can join"
          value={visibility}
          onChange={setVisibility}
          hint={SEEN_BY[visibility]}
          options={[
            { value: 'public', label: 'Anybody', testId: 'visibility-public' },
            { value: 'private', label: 'With the link only', testId: 'visibility-private' },
          ]}
        />
        <Button type="submit" look="primary" wide busy={isBusy('casual')} data-testid="create-match">
          Create the match
        </Button>
        <div className="or">or right away</div>
        <div className="start-now">
          <Button busy={isBusy('bot')} onClick={() => start('bot')} data-testid="play-bot">
            <BotIcon />
            Play the bot
          </Button>
          <Button busy={isBusy('local')} onClick={() => start('local')} data-testid="play-local">
            <KeyboardIcon />
            Two on one keyboard
          </Button>
        </div>
        {/* Below the buttons, so that they do not move under the finger. */}
        <ErrorNotice error={create.error} />
      </Form>
    </section>
  )
}

export interface NewMatch {
  readonly game: GameName
  readonly mode: 'casual' | 'local' | 'bot'
  readonly visibility?: Match['visibility']
  readonly options?: Match['options']
}

/** Creates a match and goes to it. */
function useCreateMatch() {
  const rally = useRally()
  return useAction(async (call, match: NewMatch) => {
    const { id } = await rally.matches.create(match, call)
    navigate(paths.match(id))
  })
}
