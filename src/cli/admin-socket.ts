import { request } from 'node:http'
import { CommandError } from './command-error.ts'

const timeoutMs = 10_000

/** Asks the admin interface of the pod's own proxy. Throws when it cannot be reached or does not answer 200. */
export async function askAdminSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: timeoutMs }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode === 200) resolve(body)
        else reject(new CommandError(`asking the proxy for ${path}: ${body.trim() || `status ${response.statusCode}`}`))
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    asked.on('error', error => {
      reject(
        new CommandError(`asking the proxy on ${socketPath}: ${error.message}; this works in the pod of a proxy only`),
      )
    })
    asked.end()
  })
}
