import { useEffect, useState } from 'react'
import { Button, CopyButton } from '../ui/button.tsx'
import { DownloadIcon } from '../ui/icons.tsx'
import { Notice } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'
import { type UnkeptCodes, useUnkeptCodesStore } from '../unkept-codes.ts'

/**
 * The recovery codes of a registration. They are shown only once, so this page replaces every other one until the user says
 * that they are kept; `path` is the page after that.
 */
export function KeepCodesPage({ unkept, path }: { readonly unkept: UnkeptCodes; readonly path: string }) {
  const store = useUnkeptCodesStore()
  const [firstPath] = useState(path)
  useEffect(() => {
    // The browser asks whether to leave the page.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [])
  const text = unkept.codes.join('\n')
  return (
    <Page title="Keep these recovery codes" tabTitle="Keep your recovery codes" fit="narrow">
      <section className="card stack" data-testid="keep-codes">
        {unkept.isRenewal && (
          <Notice>The new authenticator is in force, and you are signed out everywhere else.</Notice>
        )}
        {path !== firstPath && (
          <Notice look="warn">One moment: please keep these codes first. You cannot see them again.</Notice>
        )}
        <p className="soft">
          They are the only way in if you lose your phone. Each works once. They are shown now and never again.
        </p>
        <ol className="recovery-codes" aria-label="Recovery codes">
          {unkept.codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <div className="row">
          <CopyButton text={text} what="codes" />
          <Button onClick={() => download(`rally-recovery-codes-${unkept.username}.txt`, `${text}\n`)}>
            <DownloadIcon />
            Download
          </Button>
        </div>
        <Button look="primary" wide onClick={() => store.set(null)} data-testid="recovery-done">
          I kept them somewhere safe
        </Button>
      </section>
    </Page>
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
