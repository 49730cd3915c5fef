import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { DownloadIcon } from '../../ui/icons.tsx'

interface RecoveryCodesProps {
  readonly username: string
  readonly codes: readonly string[]
  readonly onDone: () => void
}

/** The codes that let somebody in without their phone: shown this once, so it takes a word that they are kept. */
export function RecoveryCodes({ username, codes, onDone }: RecoveryCodesProps) {
  const text = codes.join('\n')
  return (
    <div className="stack">
      <div>
        <h2>Keep these recovery codes</h2>
        <p className="soft small">
          They are the only way in if you lose your phone. Each works once. They are shown now and never again.
        </p>
      </div>
      <ol className="recovery-codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="row">
        <CopyButton text={text} what="codes" />
        <Button onClick={() => download(`rally-recovery-codes-${username}.txt`, `${text}\n`)}>
          <DownloadIcon />
          Download
        </Button>
      </div>
      <Button look="primary" wide onClick={onDone} data-testid="recovery-done">
        I kept them somewhere safe
      </Button>
    </div>
  )
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
