import { useCallback, useEffect, useRef, useState } from 'react'
import { type PasskeyAnswer, type PasskeyStep, RallyError } from '../../../../src/client/index.ts'

/** A sign-in that waits for a passkey. */
export interface PasskeyQuestion {
  readonly step: PasskeyStep
  /** The server is checking the answer. */
  readonly isAnswered: boolean
  answer(answer: PasskeyAnswer): void
}

export type AskPasskey = (step: PasskeyStep) => Promise<PasskeyAnswer>

/** The question of the sign-in under way, and a function that runs a sign-in which may ask it. */
export function usePasskeyQuestion() {
  const [question, setQuestion] = useState<PasskeyQuestion | null>(null)
  const giveUp = useRef<((error: RallyError) => void) | null>(null)
  useEffect(() => () => giveUp.current?.(new RallyError('ABORTED', 'The page is gone')), [])

  const withPasskey = useCallback(async (signIn: (ask: AskPasskey) => Promise<unknown>) => {
    const ask: AskPasskey = (step) =>
      new Promise((resolve, reject) => {
        giveUp.current = reject
        const answer = (given: PasskeyAnswer) => {
          setQuestion({ step, isAnswered: true, answer })
          resolve(given)
        }
        setQuestion({ step, isAnswered: false, answer })
      })
    try {
      await signIn(ask)
    } finally {
      setQuestion(null)
    }
  }, [])
  return { question, withPasskey }
}
