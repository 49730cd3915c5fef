export type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js'

declare module 'uWebSockets.js' {
  interface TemplatedApp {
    /** The addon accepts an address and options together. The package's types lack this. */
    listen(
      host: string,
      port: number,
      options: number,
      cb: (listenSocket: import('uWebSockets.js').us_listen_socket | false) => void,
    ): TemplatedApp
  }
}

/** Listening fails when another process has the port. Without this Linux would spread connections over both. */
export const EXCLUSIVE_PORT = 1

/**
 * Loads the native addon.
 *
 * @throws Error that names the Node versions and platforms it was built for, when this is none of them.
 */
export async function loadUws(): Promise<typeof import('uWebSockets.js')> {
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
