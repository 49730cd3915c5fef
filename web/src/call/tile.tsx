import { useEffect, useRef } from 'react'
import { Avatar } from '../ui/avatar.tsx'
import { MicOffIcon } from '../ui/icons.tsx'

interface TileProps {
  readonly userId: string
  readonly username: string
  readonly name: string
  /** What is shown; null for the avatar. */
  readonly video: MediaStream | null
  readonly look: 'own' | 'other' | 'screen'
  /** A few words over the picture; null for none. */
  readonly note?: string | null
  readonly isMuted?: boolean
}

/** One picture of a call, with the name of who sends it. */
export function Tile({ userId, username, name, video, look, note = null, isMuted = false }: TileProps) {
  return (
    <figure className={`call-tile call-tile-${look}`} data-testid={`call-${look}`} data-user={userId}>
      {video ? <Picture stream={video} label={name} /> : <Avatar username={username} size={96} />}
      {note && (
        <p className="call-note" role="status">
          {note}
        </p>
      )}
      <figcaption>
        {isMuted && (
          <span title="Microphone off">
            <MicOffIcon />
            <span className="hidden-visually">Microphone off:</span>
          </span>
        )}
        {name}
      </figcaption>
    </figure>
  )
}

/** Pictures are silent: `Voice` plays the sound. */
function Picture({ stream, label }: { stream: MediaStream; label: string }) {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (video.current) video.current.srcObject = stream
  }, [stream])
  return <video ref={video} autoPlay playsInline muted aria-label={label} />
}

export function Voice({ stream }: { stream: MediaStream }) {
  const audio = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    if (audio.current) audio.current.srcObject = stream
  }, [stream])
  // biome-ignore lint/a11y/useMediaCaption: nobody writes captions of a call
  return <audio ref={audio} autoPlay />
}
