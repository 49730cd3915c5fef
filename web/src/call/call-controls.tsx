import type { ReactNode } from 'react'
import { useAction } from '../hooks/use-action.ts'
import { useStore } from '../store.ts'
import { Button } from '../ui/button.tsx'
import { CameraIcon, CameraOffIcon, LeaveIcon, MicIcon, MicOffIcon, ScreenIcon } from '../ui/icons.tsx'
import { Notice } from '../ui/notice.tsx'
import type { OwnMedia, Trouble } from './own-media.ts'
import { SOURCES, type Source } from './signals.ts'

const NAMES: Readonly<Record<Source, string>> = { audio: 'microphone', video: 'camera', screen: 'screen' }

/** Turns microphone, camera and screen on and off, and ends the call. */
export function CallControls({ media, leave }: { media: OwnMedia; leave: () => void }) {
  const { audio, video, trouble } = useStore(media)
  return (
    <>
      <div className="row call-controls">
        <Toggle media={media} source="audio" icon={audio ? <MicIcon /> : <MicOffIcon />} />
        <Toggle media={media} source="video" icon={video ? <CameraIcon /> : <CameraOffIcon />} />
        {/* Phones cannot share their screen. */}
        {navigator.mediaDevices && 'getDisplayMedia' in navigator.mediaDevices && (
          <Toggle media={media} source="screen" icon={<ScreenIcon />} />
        )}
        <Button look="danger" onClick={leave} data-testid="call-leave">
          <LeaveIcon />
          Hang up
        </Button>
      </div>
      {SOURCES.map((source) => {
        const why = trouble[source]
        // Who closes the browser's list of screens has changed their mind.
        if (!why || (source === 'screen' && why === 'denied')) return null
        return (
          <Notice key={source} look="warn">
            {sayTrouble(source, why)}
          </Notice>
        )
      })}
    </>
  )
}

function Toggle({ media, source, icon }: { media: OwnMedia; source: Source; icon: ReactNode }) {
  const isOn = useStore(media)[source] !== null
  const toggle = useAction(async () => {
    if (isOn) media.turnOff(source)
    else await media.turnOn(source)
  })
  const name = NAMES[source]
  return (
    <Button
      aria-pressed={isOn}
      busy={toggle.busy}
      onClick={() => toggle.run()}
      data-testid={`call-toggle-${source}`}
      className={isOn ? 'call-on' : ''}
    >
      {icon}
      {source === 'screen' ? (isOn ? 'Stop sharing' : 'Share screen') : `${name[0]?.toUpperCase()}${name.slice(1)}`}
    </Button>
  )
}

function sayTrouble(source: Source, why: Trouble): string {
  const name = NAMES[source]
  switch (why) {
    case 'denied':
      return `Your browser does not let this page use the ${name}. Allow it in the browser’s settings for this address, and turn it on again.`
    case 'missing':
      return `No ${name} was found. You can plug one in and turn it on.`
    case 'busy':
      return `The ${name} could not be started: another program may be using it.`
    case 'unsupported':
      return `The ${name} cannot be used here. Calls need https, and a browser that supports them.`
  }
}
