import { expect, it } from 'vitest'
import { describeWithOperator, eventually, getInstance, instance, pause, condition } from './operator-cluster.ts'
describeWithOperator('temp', cluster => {
  it('many', async () => {
    const { admin, apply, createNamespace, start } = cluster()
    const op = await start()
    const ns = await createNamespace()
    const n = 60
    const t0 = performance.now()
    await apply({ apiVersion: 'v1', kind: 'List', items: Array.from({ length: n }, (_, i) => instance(ns, `m${i}`, { replicas: 0 })) })
    console.log('applied', performance.now() - t0)
    for (let i = 0; i < n; i++) await eventually(async () => (condition(await getInstance(admin, ns, `m${i}`), 'LoadBalancerReady').status === 'True' ? true : undefined), 60_000)
    console.log('ready', performance.now() - t0)
    await pause(2000)
    console.log([...op.client.counts].join('\n'), op.client.writesExcept() / n, process.memoryUsage().rss / 1e6)
    const w = op.client.writesExcept()
    await pause(3000)
    console.log('steady writes', op.client.writesExcept() - w, process.cpuUsage())
    expect(1).toBe(1)
  })
})
