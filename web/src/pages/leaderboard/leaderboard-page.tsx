import { useState } from 'react'
import { Choice } from '../../ui/field.tsx'
import { Page } from '../../ui/page.tsx'
import { Ratings } from './ratings.tsx'
import { Scores } from './scores.tsx'

/** Who is best: by the scores that games submit, and by ranked matches. */
export function LeaderboardPage() {
  const [kind, setKind] = useState<'scores' | 'ratings'>('scores')
  return (
    <Page title="Leaderboard" fit="narrow">
      <div className="stack">
        <Choice
          legend="Best by"
          value={kind}
          onChange={setKind}
          options={[
            { value: 'scores', label: 'Scores', testId: 'by-scores' },
            { value: 'ratings', label: 'Ranked matches', testId: 'by-ratings' },
          ]}
        />
        {kind === 'scores' ? <Scores /> : <Ratings />}
      </div>
    </Page>
  )
}
