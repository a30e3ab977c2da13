import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { entry, run } from './process.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-cli-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('wrong usage ends with 2 and says what is allowed', () => {
  const cases: readonly (readonly [words: readonly string[], message: RegExp])[] = [
    [[], /^error: a command is missing; allowed: operator, proxy, serve, plan, igd\n/],
    [['fly'], /^error: unknown command 'fly'; allowed: operator, proxy, serve, plan, igd\n/],
    [['serve'], /^error: required option '-f, --filename <dir>' not specified\n/],
    [['serve', '-f', '.', '--http-port', '70000'], /It must be a port from 0 to 65535; 0 takes a free one\.\n/],
    [['serve', '-f', '.', '--workers', 'many'], /It must be a number from 1 to 64\.\n/],
    [['serve', '-f', '.', '--configmap', 'keys'], /It must be NAMESPACE\/NAME\.\n/],
    [['serve', '-f', '.', '--port', '1'], /^error: unknown option '--port'\n[^]*--http-port <port>/],
    [['operator', '--leader-elect=maybe'], /It must be true or false\.\n/],
    [['operator', '--metrics-bind-address', 'here'], /It must be ADDRESS:PORT, :PORT as in :8081, or 0\.\n/],
    [['igd', 'backends'], /^error: missing required argument 'name'\n/],
    [['igd', 'backends', 'shop', '-o', 'xml'], /Allowed choices are table, wide, json, yaml, name\.\n/],
  ]
  test.each(cases)('%j', async (words, message) => {
    const { code, stdout, stderr } = await run(words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })
})

describe('a failure ends with 1 and says what was being done, without a stack', () => {
  test('serve on a folder that is not there', async () => {
    const { code, stdout, stderr } = await run(['serve', '-f', join(folder, 'none'), '--admin-port', '0'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`error: serving ${folder}/none: reading the folder ${folder}/none: ENOENT`)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('serve on a port that is taken names the port', async () => {
    const taken = createServer()
    await new Promise<void>(resolve => {
      taken.listen(0, '127.0.0.1', resolve)
    })
    const { port } = taken.address() as AddressInfo
    const { code, stderr } = await run([
      'serve',
      '-f',
      folder,
      '--admin-port',
      '0',
      '--http-port',
      String(port),
      '--https-port',
      '0',
    ])
    taken.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`error: serving .*${port}`))
  })

  test('proxy outside a pod says what it needs and what to use instead', async () => {
    const { code, stderr } = await run(['proxy'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: POD_NAMESPACE and INSTANCE_NAME must be set: .* use `serve`\n$/)
  })

  test('igd with an API server that nobody answers for', async () => {
    const kubeconfig = join(folder, 'kubeconfig')
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
    const { code, stderr } = await run(['igd', 'backends', 'shop'], { environment: { KUBECONFIG: kubeconfig } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: GET \/api\/v1\/namespaces\/default\/pods: .*ECONNREFUSED/)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('dbg outside a pod', async () => {
    const { code, stderr } = await run(['dbg', '--socket', join(folder, 'none.sock'), 'backends', 'all'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: asking the proxy on .*none\.sock: .*; this works in the pod of a proxy only\n$/)
  })

  test('a log level that does not exist', async () => {
    const { code, stderr } = await run(['serve', '-f', folder], { environment: { LOG_LEVEL: 'loud' } })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: LOG_LEVEL is loud; it must be one of trace, debug, info, warn, error, fatal, silent\n$/,
    )
  })
})

describe('what is asked for ends with 0 and goes to stdout', () => {
  test.each([[['--version']], [['version']]])('%j', async words => {
    expect(await run(words)).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  test('help lists the commands but for the hidden one, and explains one with its options', async () => {
    const all = await run(['--help'])
    expect(all.code).toBe(0)
    expect(all.stdout).toMatch(/^ {2}serve +run the proxy on a folder/m)
    expect(all.stdout).not.toContain('dbg')
    const one = await run(['help', 'serve'])
    expect(one.code).toBe(0)
    expect(one.stdout).toContain('--ingress-class <name>')
  })
})

describe('the name of the program', () => {
  test('kubectl-igd is the command igd', async () => {
    const script = join(folder, 'kubectl-igd')
    symlinkSync(entry, script)
    const { code, stderr } = await run(['backends'], { script })
    expect(code).toBe(2)
    expect(stderr).toContain('Usage: kubectl igd backends [options] <name>')
  })

  test('dbg is the command dbg', async () => {
    const script = join(folder, 'dbg')
    symlinkSync(entry, script)
    const { code, stdout } = await run(['--help'], { script })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Usage: dbg /)
  })
})

test('on a Node that is too old, and with no other at hand, it says which one is needed', async () => {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.0" } })'
  const { code, stdout, stderr } = await run(['--version'], {
    nodeOptions: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
  })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toBe(
    'ingress-fleet needs Node 24 or newer, this is Node 18.20.0. Run `npm ci` in its folder, which brings one, or install a newer Node.\n',
  )
})
