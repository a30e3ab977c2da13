import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from './process.ts'

const root = join(import.meta.dirname, '../..')
const head = 'apiVersion: ingressfleet.dev/v1alpha1\nkind: IngressDeployment\nmetadata: {name: shop}\n'

describe('plan', () => {
  test('prints the objects of the sample shop as YAML, and no private key', async () => {
    const { code, stdout, stderr } = await run(['plan', '-f', join(root, 'config/samples/shop/ingressdeployment.yaml')])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    await expect(stdout).toMatchFileSnapshot(join(root, 'test/golden/plan/sample-shop.yaml'))
    expect(stdout).not.toContain('PRIVATE KEY')
  })

  test('reads standard input, several instances, and passes over other kinds', async () => {
    const input = `${head}spec: {}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n${head.replace('shop', 'other')}spec: {}\n`
    const { code, stdout } = await run(['plan', '-f', '-', '--proxy-image', 'registry.example/proxy:1'], { input })
    expect(code).toBe(0)
    expect(stdout.match(/^kind: Deployment$/gm)).toHaveLength(2)
    expect(stdout.match(/^ +image: registry\.example\/proxy:1$/gm)).toHaveLength(2)
  })

  test('names field, line and column of what is not valid, and ends with 1', async () => {
    const input = `# an instance\n${head}spec:\n  replicas: 2\n  service:\n    type: Loadbalancer\n    colour: red\n`
    const { code, stdout, stderr } = await run(['plan', '-f', '-'], { input })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('standard input:8:5: spec.service.type: must be one of LoadBalancer, NodePort, ClusterIP')
    expect(stderr).toContain('standard input:9:5: spec.service.colour: is not a field')
    expect(stderr).toContain('error: standard input holds an IngressDeployment that is not valid\n')
  })

  test('names line and column of broken YAML', async () => {
    const { code, stderr } = await run(['plan', '-f', '-'], { input: `${head}spec: {replicas: 2\nother: x\n` })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^standard input:\d+:\d+: not valid YAML: /)
  })

  test('says so when there is no IngressDeployment', async () => {
    const { code, stderr } = await run(['plan', '-f', join(root, 'config/samples/shop/services.yaml')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/services\.yaml holds no IngressDeployment of apiVersion ingressfleet\.dev\/v1alpha1\n$/)
  })
})
