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

/** The highest major version of Node for which the package of the npm registry has a binary. */
const NEWEST_NODE = 22

/** Upstream's package, which is not on the npm registry, has binaries for newer versions of Node. */
const INSTALL_UPSTREAM = 'npm install --no-save "uWebSockets.js@github:uNetworking/uWebSockets.js#v20.69.0"'

type Uws = typeof import('uWebSockets.js')

/** The native addon does not run on this Node or this system. The message is one line and says what helps. */
export class AddonError extends Error {
  override readonly name = 'AddonError'
}

/** As the two packages of the addon export it: each function by its name, or, upstream's, all of them as default. */
type AddonPackage = Uws | { readonly default: Uws }

/**
 * Loads the native addon.
 *
 * @throws AddonError when the installed package has no binary for this Node and system
 */
export async function loadUws(
  load: () => Promise<AddonPackage> = () => import('uWebSockets.js'),
  node = process.versions.node,
): Promise<Uws> {
  try {
    const loaded = await load()
    return 'default' in loaded ? loaded.default : loaded
  } catch (cause) {
    const advice =
      Number.parseInt(node, 10) > NEWEST_NODE
        ? `Install upstream's: ${INSTALL_UPSTREAM}`
        : 'It has binaries for Linux (glibc, x64 or arm64), macOS and Windows x64.'
    const where = `Node ${node} (${process.platform} ${process.arch})`
    throw new AddonError(`The WebSocket addon does not load on ${where}. ${advice}`, { cause })
  }
}
