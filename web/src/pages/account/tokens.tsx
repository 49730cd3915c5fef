import { useCallback, useState } from 'react'
import type { TokenInfo } from '../../../../src/modules/auth/types.ts'
import { NOT_FRESH_WORDS } from '../../error-messages.ts'
import { exactTime } from '../../format.ts'
import { type OwnCall, useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button, CopyButton } from '../../ui/button.tsx'
import { Field, Form, Select } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'

type TokenScope = TokenInfo['scopes'][number]

const SCOPES: readonly { readonly value: TokenScope; readonly label: string }[] = [
  { value: 'read', label: 'Read' },
  { value: 'play', label: 'Play' },
  { value: 'scores:write', label: 'Submit scores' },
]
const DAYS = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
] as const
type Days = (typeof DAYS)[number]['value']

/** What programs of the user sign in with. */
export function Tokens() {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) => rally.auth.tokens(cursor ? { cursor } : {}, { signal }),
    [rally],
  )
  const { pages, action, forget } = usePages(load)
  return (
    <section className="card stack" aria-labelledby="tokens">
      <div>
        <h2 id="tokens">Tokens for programs</h2>
        <p className="soft small">
          A program with a token acts as you, as far as you allow it. It cannot change your account.
        </p>
      </div>
      <PagedList pages={pages} action={action} loading="Fetching your tokens…">
        {pages && pages.items.length > 0 && (
          <ul className="list list-inset" data-testid="tokens-list">
            {pages.items.map((token) => (
              <TokenRow key={token.id} token={token} onRevoked={() => forget(token)} />
            ))}
          </ul>
        )}
      </PagedList>
      <MakeToken onMade={() => action.run()} />
    </section>
  )
}

function TokenRow({ token, onRevoked }: { token: TokenInfo; onRevoked: () => void }) {
  const rally = useRally()
  const revoke = useAction(async (call) => {
    await rally.auth.revokeToken({ tokenId: token.id }, call)
    onRevoked()
  })
  const allowed = SCOPES.filter(({ value }) => token.scopes.includes(value)).map(({ label }) => label.toLowerCase())
  return (
    <li className="list-item" data-token={token.id}>
      <div className="list-text">
        <strong>{token.name}</strong>
        <span className="small soft">
          may {allowed.join(', ')} ·{' '}
          {token.lastUsedAt === null ? (
            'not used yet'
          ) : (
            <>
              used <TimeAgo at={token.lastUsedAt} />
            </>
          )}{' '}
          · ends {exactTime(token.expiresAt)}
        </span>
      </div>
      <Button small look="danger" busy={revoke.busy} onClick={() => revoke.run()} data-testid="revoke-token">
        Revoke<span className="hidden-visually"> the token {token.name}</span>
      </Button>
      <ErrorNotice error={revoke.error} />
    </li>
  )
}

/** The form, and then the token, which is shown this once. */
function MakeToken({ onMade }: { onMade: () => void }) {
  const rally = useRally()
  const [isOpen, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly TokenScope[]>(['read'])
  const [days, setDays] = useState<Days>('90')
  const [made, setMade] = useState<string | null>(null)
  const make = useAction(async (call) => {
    const { token } = await rally.auth.createToken(
      { name: name.trim(), scopes: [...scopes], expiresInDays: Number(days) },
      call,
    )
    setMade(token)
    setOpen(false)
    setName('')
    onMade()
  })
  const close = () => {
    make.clear()
    setOpen(false)
  }
  if (!isOpen) {
    return (
      <>
        {made !== null && (
          <Notice look="warn">
            <div className="stack">
              <span>Copy this token now. It is not shown again.</span>
              <code className="secret" data-testid="new-token">
                {made}
              </code>
              <div>
                <CopyButton text={made} what="token" />
              </div>
            </div>
          </Notice>
        )}
        <div>
          <Button onClick={() => setOpen(true)} data-testid="add-token">
            Make a token
          </Button>
        </div>
      </>
    )
  }
  return (
    <Form onSubmit={() => make.run()}>
      <Field
        label="Name of the token"
        hint="So that you know the program again, such as “Score bot”"
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        maxLength={40}
        pattern=".*\S.*"
        title="a name"
        autoComplete="off"
        data-testid="token-name"
      />
      <fieldset className="choice">
        <legend>What the program may do</legend>
        <div className="choice-options">
          {SCOPES.map(({ value, label }) => (
            <label key={value}>
              <input
                type="checkbox"
                checked={scopes.includes(value)}
                onChange={({ target }) =>
                  setScopes((before) => (target.checked ? [...before, value] : before.filter((each) => each !== value)))
                }
                data-testid={`scope-${value}`}
              />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      <Select label="Ends after" value={days} options={DAYS} onChange={setDays} testId="token-days" />
      <ErrorNotice error={make.error} words={NOT_FRESH_WORDS} />
      <div className="row">
        <Button type="submit" look="primary" busy={make.busy} disabled={scopes.length === 0} data-testid="create-token">
          Make it
        </Button>
        <Button look="quiet" onClick={close}>
          Cancel
        </Button>
      </div>
    </Form>
  )
}
