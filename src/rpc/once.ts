/** What tells one write from another: a retry has the same three. */
export interface WriteKey {
  readonly userId: string
  readonly eid: string
  readonly type: string
}

/**
 * Keeps the first answer of every write. `execute` runs in a transaction that also stores what it returns, so that
 * an effect and its answer are kept together or not at all. When `execute` throws, the transaction is rolled back; if
 * `answerOf` makes an answer of the error, that is what a retry gets, else a retry executes again.
 */
export interface Once<Tx> {
  run(
    key: WriteKey,
    execute: (tx: Tx) => Promise<string>,
    answerOf: (error: unknown) => string | undefined,
  ): Promise<{ readonly answer: string; readonly executed: boolean }>
}
