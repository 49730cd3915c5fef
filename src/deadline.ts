/** Something did not happen in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * What `work` gives, unless that takes longer than `ms`. Late work goes on; its result and its error are dropped.
 *
 * @throws DeadlineError after `ms`
 */
export function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError(`no answer in ${ms} ms`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
