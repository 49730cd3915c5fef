/** What tells one write from another: a retry has the same three. */
export interface WriteKey {
  readonly userId: string
  readonly eid: string
  readonly type: string
  /** Its answer holds secrets, and is kept encrypted. */
  readonly isSecret?: boolean
}

export interface WriteResult {
  readonly answer: string
  /**
   * Whether what this call's `execute` did is committed. False when the answer is an earlier or a concurrent call's,
   * and when it is of a failure, of which nothing stays.
   */
  readonly executed: boolean
}

/** Writes that happen once however often they are asked for, on whichever node. */
export interface Once<Tx> {
  /**
   * The answer of a write that this process remembers, or makes at this moment; undefined when it knows of none. Asks
   * nobody else.
   *
   * @throws RpcError CONFLICT when the key's `eid` was used for another `type`; a promise rejects as its `run` does
   */
  recall(key: WriteKey): string | Promise<string> | undefined
  /**
   * Executes in one transaction with the keeping of the answer, so that both happen or neither. A concurrent call with
   * the same key, also on another node, waits and gets the same answer.
   *
   * `execute` has to do all it does by its transaction, as it runs again when that loses against another. When it
   * throws, nothing of it stays; if `answerOf` makes an answer of the error, that one is kept and answered, else a retry
   * executes again.
   *
   * @throws RpcError CONFLICT when the key's `eid` was used for another `type`
   */
  run(
    key: WriteKey,
    execute: (transaction: Tx) => Promise<string>,
    answerOf?: (error: unknown) => string | undefined,
  ): Promise<WriteResult>
}
