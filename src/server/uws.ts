export type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js'

declare module 'uWebSockets.js' {
  interface TemplatedApp {
    /** The addon takes an address and options together, which the package's types leave out. */
    listen(
      host: string,
      port: number,
      options: number,
      cb: (listenSocket: import('uWebSockets.js').us_listen_socket | false) => void,
    ): TemplatedApp
  }
}

/** Listening fails when another process has the port; otherwise Linux would share it out between the two. */
export const EXCLUSIVE_PORT = 1

export type Uws = typeof import('uWebSockets.js')

/**
 * Loads the native addon.
 *
 * @throws Error that names the Node versions and platforms it was built for, when this is none of them.
 */
export async function loadUws(): Promise<Uws> {
  try {
    return await import('uWebSockets.js')
  } catch (cause) {
    throw new Error(
      `The native WebSocket server does not load on Node ${process.version} (${process.platform} ${process.arch}). ` +
        'Rally runs on Node 20.19 to 22, on Linux (glibc, x64 or arm64), macOS and Windows x64.',
      { cause },
    )
  }
}
