import { expect, it } from 'vitest'
import { describeOnCluster, sharedCluster } from '../cluster.ts'

describeOnCluster('the test control plane', () => {
  it('serves IngressDeployments and makes kubeconfigs that may do only what was granted', async () => {
    const cluster = sharedCluster()
    const namespace = await cluster.createNamespace()
    const kubeconfig = await cluster.serviceAccountKubeconfig({
      namespace,
      name: 'reader',
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
    })
    const can = (verb: string, resource: string) =>
      cluster.kubectl(['--kubeconfig', kubeconfig, '-n', namespace, 'auth', 'can-i', verb, resource]).then(
        () => true,
        () => false,
      )
    expect(await cluster.kubectl(['get', 'ingressdeployments', '-A', '-o', 'name'])).toBe('')
    expect(await can('list', 'configmaps')).toBe(true)
    expect(await can('list', 'secrets')).toBe(false)
  })
})
