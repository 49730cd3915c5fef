import type { ReactNode } from 'react'
import { type OwnCall, useAction } from '../../hooks/use-action.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

export function ReasonField({ value, onChange }: { value: string; onChange: (reason: string) => void }) {
  return (
    <Field
      label="Reason"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      maxLength={300}
      required
      autoComplete="off"
      data-testid="reason"
    />
  )
}

interface ConfirmDialogProps {
  readonly title: string
  /** What the button says that does it. */
  readonly act: string
  readonly isReady?: boolean
  readonly onClose: () => void
  readonly run: (call: OwnCall) => Promise<void>
  /** Better words for errors of this act. */
  readonly words?: Readonly<Record<string, string>>
  readonly children: ReactNode
}

/** Asks before an act, runs it, and shows why it failed. */
export function ConfirmDialog({ title, act, isReady = true, onClose, run, words = {}, children }: ConfirmDialogProps) {
  const action = useAction(run)
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="danger"
            disabled={!isReady}
            busy={action.busy}
            onClick={() => action.run()}
            data-testid="confirm-act"
          >
            {act}
          </Button>
        </>
      }
    >
      {children}
      <ErrorNotice error={action.error} words={words} />
    </Dialog>
  )
}
