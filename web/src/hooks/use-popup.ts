import { type RefObject, useEffect, useRef, useState } from 'react'

interface Popup {
  readonly isOpen: boolean
  /** The element that holds the button and what it opens. */
  readonly place: RefObject<HTMLDivElement | null>
  /** The button. It takes the focus back when the Escape key closes the popup. */
  readonly button: RefObject<HTMLButtonElement | null>
  toggle(): void
  close(): void
}

/** Something that a button opens. A press or a focus outside of it closes it, and so does the Escape key. */
export function usePopup(): Popup {
  const [isOpen, setOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!isOpen) return
    const closeFromOutside = ({ target }: Event) => {
      if (!(target instanceof Node && place.current?.contains(target))) setOpen(false)
    }
    const closeByKey = ({ key }: KeyboardEvent) => {
      if (key !== 'Escape') return
      setOpen(false)
      button.current?.focus()
    }
    addEventListener('pointerdown', closeFromOutside)
    addEventListener('focusin', closeFromOutside)
    addEventListener('keydown', closeByKey)
    return () => {
      removeEventListener('pointerdown', closeFromOutside)
      removeEventListener('focusin', closeFromOutside)
      removeEventListener('keydown', closeByKey)
    }
  }, [isOpen])
  return { isOpen, place, button, toggle: () => setOpen(!isOpen), close: () => setOpen(false) }
}
