import { CopyButton } from '../../ui/copy-button.tsx'

/** What an authenticator app needs: to scan, or to type where there is no camera. */
export function Secret({ qrCode, secret }: { qrCode?: string | undefined; secret?: string | undefined }) {
  if (!secret) return null
  return (
    <div className="enrol">
      {qrCode && (
        <img
          className="qr"
          src={qrCode}
          width={180}
          height={180}
          alt="QR code with the secret for your authenticator"
        />
      )}
      <div className="stack-tight enrol-text">
        <span className="small soft">No camera? Type this key into the app:</span>
        <code className="secret" data-testid="totp-secret" data-secret={secret}>
          {secret.match(/.{1,4}/g)?.map((group, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the groups of one secret never move
            <span key={index}>{group}</span>
          ))}
        </code>
        <CopyButton text={secret} what="key" />
      </div>
    </div>
  )
}
