import { useCallback, useEffect, useState } from 'react'
import { createPasskey, hasPasskeys } from '../../../../src/client/index.ts'
import type { PasskeyInfo } from '../../../../src/modules/auth/types.ts'
import { NOT_FRESH_WORDS } from '../../error-messages.ts'
import { browserName } from '../../format.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Form } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { PasskeyNameField } from '../sign-in/passkey-steps.tsx'

const WORDS = {
  ...NOT_FRESH_WORDS,
  INVALID_PASSKEY: 'The server did not accept that passkey. Try again, or with another device or key.',
  NO_CHALLENGE: 'That took too long. Try again.',
}

/** The user's passkeys, where the server asks for one at sign-in; else nothing. */
export function Passkeys() {
  const rally = useRally()
  const [passkeys, setPasskeys] = useState<readonly PasskeyInfo[]>([])
  const [isRequired, setRequired] = useState(false)
  const load = useAction(async (call) => {
    const { required, items } = await rally.auth.passkeys({}, call)
    setRequired(required)
    setPasskeys(items)
  })
  useEffect(() => load.run(), [load.run])
  const change = useCallback((changed: PasskeyInfo) => {
    setPasskeys((before) => before.map((each) => (each.id === changed.id ? changed : each)))
  }, [])
  if (!isRequired) return null
  return (
    <section className="card stack" aria-labelledby="passkeys">
      <div>
        <h2 id="passkeys">Passkeys</h2>
        <p className="soft small">
          Signing in takes one of them besides the code. Have two, so that you can lose one. Removing one ends the
          sessions that it began.
        </p>
      </div>
      <ErrorNotice error={load.error} />
      <ul className="list list-inset" data-testid="passkeys-list">
        {passkeys.map((passkey) => (
          <PasskeyRow
            key={passkey.id}
            passkey={passkey}
            isLast={passkeys.length === 1}
            onRenamed={change}
            onRemoved={() => setPasskeys((before) => before.filter(({ id }) => id !== passkey.id))}
          />
        ))}
      </ul>
      <AddPasskey onAdded={(added) => setPasskeys((before) => [...before, added])} />
    </section>
  )
}

interface PasskeyRowProps {
  readonly passkey: PasskeyInfo
  readonly isLast: boolean
  readonly onRenamed: (passkey: PasskeyInfo) => void
  readonly onRemoved: () => void
}

function PasskeyRow({ passkey, isLast, onRenamed, onRemoved }: PasskeyRowProps) {
  const rally = useRally()
  const [name, setName] = useState<string | null>(null)
  const rename = useAction(async (call, name: string) => {
    onRenamed(await rally.auth.renamePasskey({ passkeyId: passkey.id, name: name.trim() }, call))
    setName(null)
  })
  const remove = useAction(async (call) => {
    await rally.auth.removePasskey({ passkeyId: passkey.id }, call)
    onRemoved()
  })
  if (name !== null) {
    return (
      <li className="list-item">
        <Form onSubmit={() => rename.run(name)}>
          <PasskeyNameField value={name} onChange={setName} />
          <ErrorNotice error={rename.error} />
          <div className="row">
            <Button type="submit" small look="primary" busy={rename.busy}>
              Save
            </Button>
            <Button small look="quiet" onClick={() => setName(null)}>
              Cancel
            </Button>
          </div>
        </Form>
      </li>
    )
  }
  const ofPasskey = <span className="hidden-visually"> the passkey {passkey.name}</span>
  return (
    <li className="list-item" data-passkey={passkey.id}>
      <div className="list-text">
        <strong>
          {passkey.name} {passkey.synced && <span className="tag">Synced</span>}
        </strong>
        <span className="small soft">
          made <TimeAgo at={passkey.createdAt} />
          {passkey.lastUsedAt !== null && (
            <>
              {' '}
              · used <TimeAgo at={passkey.lastUsedAt} />
            </>
          )}
        </span>
      </div>
      <div className="row">
        <Button small onClick={() => setName(passkey.name)} data-testid="rename-passkey">
          Rename{ofPasskey}
        </Button>
        {!isLast && (
          <Button small look="danger" busy={remove.busy} onClick={() => remove.run()} data-testid="remove-passkey">
            Remove{ofPasskey}
          </Button>
        )}
      </div>
      <ErrorNotice error={remove.error} words={WORDS} />
    </li>
  )
}

/** Two steps for the server, one for its user: what the browser needs, its dialog, and what came of it. */
function AddPasskey({ onAdded }: { onAdded: (passkey: PasskeyInfo) => void }) {
  const rally = useRally()
  const [name, setName] = useState<string | null>(null)
  const add = useAction(async (call, name: string) => {
    const asked = await rally.auth.addPasskey({}, call)
    if (asked.status !== 'newPasskey') return
    const credential = await createPasskey(asked.creation, call.signal)
    const added = await rally.auth.addPasskey({ credential, name: name.trim() }, call)
    if (added.status !== 'added') return
    onAdded(added.passkey)
    setName(null)
  })
  if (!hasPasskeys()) return <Notice look="warn">This browser has no passkeys, so it cannot add one.</Notice>
  if (name === null) {
    return (
      <div>
        <Button onClick={() => setName(browserName(navigator.userAgent))} data-testid="add-passkey">
          Add a passkey
        </Button>
      </div>
    )
  }
  return (
    <Form onSubmit={() => add.run(name)}>
      <PasskeyNameField value={name} onChange={setName} />
      <ErrorNotice error={add.error} words={WORDS} />
      <div className="row">
        <Button type="submit" look="primary" busy={add.busy} data-testid="create-passkey">
          Make it
        </Button>
        <Button
          look="quiet"
          onClick={() => {
            add.clear()
            setName(null)
          }}
        >
          Cancel
        </Button>
      </div>
    </Form>
  )
}
