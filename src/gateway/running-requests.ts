import type { ServerResponse } from 'node:http'

/** Aborts what still runs: a request when its caller goes away, all of them when the time to close is over. */
export class RunningRequests {
  readonly #controllers = new Set<AbortController>()

  /** A signal for one request; forgotten once its answer is out. */
  signalOf(response: ServerResponse): AbortSignal {
    const controller = new AbortController()
    this.#controllers.add(controller)
    response.once('close', () => {
      this.#controllers.delete(controller)
      if (!response.writableFinished) controller.abort(new Error('the caller went away'))
    })
    return controller.signal
  }

  abortAll(): void {
    for (const controller of this.#controllers) controller.abort(new Error('the gateway closes'))
    this.#controllers.clear()
  }
}
