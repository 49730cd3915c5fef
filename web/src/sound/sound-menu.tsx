import { usePopup } from '../hooks/use-popup.ts'
import { useStore } from '../store.ts'
import { Button } from '../ui/button.tsx'
import { MutedIcon, SoundIcon } from '../ui/icons.tsx'
import { useSound } from './sound.ts'

/** Turns the sound on and off, and sets how loud it is. */
export function SoundMenu() {
  const sound = useSound()
  const settings = useStore(sound)
  const { isOpen, place, button, toggle } = usePopup()
  return (
    <div ref={place} className="popup-place">
      <Button
        ref={button}
        look="quiet"
        className="button-icon"
        aria-expanded={isOpen}
        aria-label={settings.isOn ? 'Sound: on' : 'Sound: off'}
        onClick={toggle}
        data-testid="sound"
      >
        {settings.isOn ? <SoundIcon /> : <MutedIcon />}
      </Button>
      {isOpen && (
        <div className="popup stack">
          <label className="row">
            <input
              type="checkbox"
              checked={settings.isOn}
              onChange={({ target }) => {
                sound.set({ ...settings, isOn: target.checked })
                sound.play('pointWon')
              }}
              data-testid="sound-on"
            />
            Sound
          </label>
          <label className="stack-tight">
            Volume
            <input
              className="range"
              type="range"
              min={0}
              max={1}
              step={0.05}
              value={settings.volume}
              disabled={!settings.isOn}
              onChange={({ target }) => sound.set({ ...settings, volume: Number(target.value) })}
              onPointerUp={() => sound.play('hit')}
              data-testid="sound-volume"
            />
          </label>
        </div>
      )}
    </div>
  )
}
