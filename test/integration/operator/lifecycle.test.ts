import { expect, it } from 'vitest'
import { resources } from '../../../src/kube/resource.ts'
import { condition, describeWithOperator, find, instance, makePodsReady, untilCondition } from './operator-cluster.ts'

describeWithOperator('the life of an IngressDeployment', cluster => {
  it('1: becomes admitted, then available with a load balancer, without anything degraded', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    const operator = await start()
    const namespace = await createNamespace()
    await apply(instance(namespace, 'public'))
    const admitted = await untilCondition(admin, namespace, 'public', 'Admitted=True/Valid')
    await makePodsReady(admin, namespace, 'public')
    const ready = await untilCondition(admin, namespace, 'public', 'Ready=True/Ready')
    for (const [type, status] of [
      ['Available', 'True'],
      ['LoadBalancerReady', 'True'],
      ['Progressing', 'False'],
      ['Degraded', 'False'],
    ] as const) {
      expect(condition(ready, type), type).toMatchObject({ status })
    }
    expect(admitted.status?.observedGeneration).toBe(1)
    expect(await find(admin, resources.deployments, 'ingress-public', namespace)).toBeDefined()
    await operator.stop()
  })
})
