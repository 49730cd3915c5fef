import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { within } from '../support/client.ts'
import { type Rig, startRig } from '../support/rig.ts'

/** A request whose path is sent as it is, and whose answer is not decoded. */
function raw(rig: Rig, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return within(
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: rig.port, path, headers, method }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        )
      })
      outgoing.on('error', reject)
      outgoing.end()
    }),
    path,
  )
}

describe('the page', () => {
  const script = `console.log(${JSON.stringify('rally '.repeat(2000))})`
  const image = Buffer.alloc(12 * 1024 * 1024, 1)
  let webDir: string
  let rig: Rig

  beforeAll(async () => {
    webDir = await mkdtemp(join(tmpdir(), 'rally-page-'))
    await mkdir(join(webDir, 'assets'))
    await writeFile(join(webDir, 'index.html'), '<!doctype html><title>the page</title>')
    await writeFile(join(webDir, 'assets/main-abcd1234.js'), script)
    await writeFile(join(webDir, 'assets/main-abcd1234.js.br'), brotliCompressSync(script))
    await writeFile(join(webDir, 'assets/main-abcd1234.js.gz'), gzipSync(script))
    await writeFile(join(webDir, 'assets/plain.js'), script)
    await writeFile(join(webDir, 'theme.js'), script)
    await writeFile(join(webDir, 'big.png'), image)
    rig = await startRig({ server: { webDir } })
  })
  afterAll(async () => {
    await rig.stop()
    await rm(webDir, { recursive: true, force: true })
  })

  test('is at /, and at every place inside it', async () => {
    for (const path of ['/', '/match/7', '/a%20b', '/index.html', '/match?x=1']) {
      const answer = await fetch(rig.url + path)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(answer.headers.get('cache-control')).toBe('no-cache')
      expect(await answer.text()).toContain('the page')
    }
    expect((await fetch(`${rig.url}/assets/gone.js`)).status).toBe(404)
  })

  test('hashed assets are cached for ever, in an encoding that the browser accepts', async () => {
    const plain = await raw(rig, '/assets/main-abcd1234.js')
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(plain.body.toString()).toBe(script)
    const br = await raw(rig, '/assets/main-abcd1234.js', { 'Accept-Encoding': 'gzip, deflate, br' })
    expect([br.headers['content-encoding'], brotliDecompressSync(br.body).toString()]).toEqual(['br', script])
    const gz = await raw(rig, '/assets/main-abcd1234.js', { 'Accept-Encoding': 'gzip, br;q=0' })
    expect([gz.headers['content-encoding'], gunzipSync(gz.body).toString()]).toEqual(['gzip', script])
    expect(new Set([plain, br, gz].map(({ headers }) => headers.etag)).size).toBe(3)
    expect(br.headers.vary).toBe('Accept-Encoding')
  })

  test('a file without a hash in its name is asked for again, a picture after an hour', async () => {
    const cacheControl = async (path: string) => (await raw(rig, path, {}, 'HEAD')).headers['cache-control']
    expect(await cacheControl('/theme.js')).toBe('no-cache')
    expect(await cacheControl('/assets/plain.js')).toBe('no-cache')
    expect(await cacheControl('/big.png')).toBe('public, max-age=3600')
    expect(await cacheControl('/gone.js')).toBe('no-store')
    expect(await cacheControl('/healthz')).toBe('no-store')
  })

  test('the server compresses nothing itself, and compressed copies are no files of the page', async () => {
    const plain = await raw(rig, '/theme.js', { 'Accept-Encoding': 'gzip, br' })
    expect([plain.headers['content-encoding'], plain.body.toString()]).toEqual([undefined, script])
    expect((await raw(rig, '/assets/main-abcd1234.js.br')).status).toBe(404)
  })

  test('a compressed copy of an older build ends the start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rally-page-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await writeFile(join(folder, 'theme.js'), script)
    await writeFile(join(folder, 'theme.js.gz'), gzipSync(`${script};`))
    await expect(startRig({ server: { webDir: folder } })).rejects.toThrow('/theme.js.gz is no copy of /theme.js')
  })

  test('files that the browser has cached are not sent again', async () => {
    const { headers } = await raw(rig, '/')
    const again = await raw(rig, '/', { 'If-None-Match': String(headers.etag) })
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag])
    expect((await raw(rig, '/', { 'If-None-Match': '"other"' })).status).toBe(200)
  })

  test('HEAD has the headers of GET and no body', async () => {
    const get = await raw(rig, '/')
    const head = await raw(rig, '/', {}, 'HEAD')
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
  })

  test('a connection can be used again after HEAD and 304', async () => {
    const tcp = connectTcp(rig.port, '127.0.0.1')
    const ask = (head: string) => {
      tcp.write(`${head} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n`)
      const answer = new Promise<string>((resolve, reject) => {
        tcp.once('data', (bytes) => resolve(bytes.toString()))
        tcp.once('close', () => reject(new Error('the connection was cut')))
      })
      return within(answer, head)
    }
    expect(await ask('HEAD /healthz')).toMatch(/^HTTP\/1\.1 200 .*Content-Length: 15\r\n[^{]*\r\n\r\n$/s)
    expect(await ask('GET /')).toMatch(/^HTTP\/1\.1 304 .*\r\n\r\n$/s)
    expect(await ask('GET /healthz')).toContain('{"status":"ok"}')
    tcp.destroy()
  })

  test('a slow reader gets a big file whole', async () => {
    const tcp = connectTcp(rig.port, '127.0.0.1')
    tcp.write('GET /big.png HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await within(new Promise((resolve) => tcp.once('data', resolve)), 'the first bytes')
    tcp.pause()
    // The server goes on with others meanwhile.
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200)
    const { body } = await raw(rig, '/big.png')
    expect(body.equals(image)).toBe(true)
    let rest = 0
    const all = new Promise<void>((resolve) => {
      tcp.on('data', (chunk) => {
        rest += chunk.length
        if (rest > image.length - 128 * 1024) resolve()
      })
    })
    tcp.resume()
    await within(all, 'the rest')
    tcp.destroy()
  })

  test('a reader that takes longer than a minute is cut', async () => {
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const tcp = connectTcp(rig.port, '127.0.0.1')
    const cut = new Promise<void>((resolve) => tcp.once('close', () => resolve()))
    tcp.write('GET /big.png HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => tcp.once('data', resolve))
    tcp.pause()
    vi.advanceTimersByTime(59_000)
    expect(tcp.destroyed).toBe(false)
    vi.advanceTimersByTime(1_000)
    tcp.on('error', () => undefined).resume()
    await cut
  })

  test.for(['/../package.json', '/..%2f..%2fetc/passwd', '/%2e%2e/x', '/a/..%5c..%5cx', '/%00', '/%ff'])(
    'nobody climbs out with %s',
    async (path) => {
      const answer = await raw(rig, path)
      expect(answer.status).toBe(400)
      expect(answer.body.toString()).not.toContain('the page')
    },
  )

  test('that was never built says how to build it', async () => {
    await using unbuilt = await startRig()
    const answer = await fetch(unbuilt.url)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('npm run build')
  })
})
