import { expect, it, onTestFinished, vi } from 'vitest'
import type { KubeClient } from '../../../src/kube/client.ts'
import { LeaderElection, type LeaderElectionOptions, type Lease } from '../../../src/kube/leader-election.ts'
import { resources } from '../../../src/kube/resource.ts'
import { silentLog } from '../../kube/silent-log.ts'
import { describeOnCluster, type TestCluster } from '../cluster.ts'
import { proxied } from './detours.ts'
import { withOwnNamespace } from './own-namespace.ts'

const patient = { timeout: 30_000, interval: 10 }

/** A tenth of the defaults, or so: a lease lasts whole seconds. */
const timings = { leaseDurationMs: 2000, renewDeadlineMs: 1200, retryPeriodMs: 200 }

describeOnCluster('LeaderElection', () => {
  let cluster: TestCluster
  let client: KubeClient
  let namespace: string

  withOwnNamespace(own => {
    ;({ cluster, client, namespace } = own)
  })

  /** A candidate and what became of it, as in `a acquired`. */
  function candidate(identity: string, log: string[], options: Partial<LeaderElectionOptions> = {}): LeaderElection {
    const election = new LeaderElection({
      client,
      namespace,
      identity,
      log: silentLog(),
      onAcquired: () => log.push(`${identity} acquired`),
      onLost: () => log.push(`${identity} lost`),
      ...timings,
      ...options,
    })
    onTestFinished(() => election.stop())
    election.start()
    return election
  }

  const readLease = () => client.get<Lease>(resources.leases, { namespace, name: 'ingress-fleet-operator' })

  /** Looks all the time that no two lead at once; the result ends that and gives what was wrong. */
  function watchForTwo(candidates: readonly LeaderElection[]): () => number {
    let seen = 0
    const timer = setInterval(() => {
      if (candidates.filter(({ isLeader }) => isLeader).length > 1) seen += 1
    }, 1)
    onTestFinished(() => clearInterval(timer))
    return () => {
      clearInterval(timer)
      return seen
    }
  }

  it('has one leader, which renews its lease under its name', async () => {
    const log: string[] = []
    const candidates = [candidate('a', log), candidate('b', log), candidate('c', log)]
    const twoLed = watchForTwo(candidates)
    await vi.waitFor(() => expect(log).toHaveLength(1), patient)
    const first = await readLease()
    await vi.waitFor(async () => expect((await readLease()).spec?.renewTime).not.toBe(first.spec?.renewTime), patient)
    const leader = candidates.find(({ isLeader }) => isLeader)
    expect(first.spec?.holderIdentity).toBe(leader?.leader)
    expect(first.spec).toMatchObject({ leaseDurationSeconds: 2, leaseTransitions: 0 })
    expect(log).toHaveLength(1)
    expect(twoLed()).toBe(0)
  })

  it('hands over when the leader is stopped, without waiting for the lease to end', async () => {
    const log: string[] = []
    const long = { leaseDurationMs: 600_000, renewDeadlineMs: 300_000 }
    const a = candidate('a', log, long)
    await vi.waitFor(() => expect(a.isLeader).toBe(true), patient)
    const b = candidate('b', log, long)
    const twoLed = watchForTwo([a, b])
    await a.stop()
    expect(a.isLeader).toBe(false)
    // With a lease of ten minutes this can only come from the release.
    await vi.waitFor(() => expect(b.isLeader).toBe(true), patient)
    expect(log).toEqual(['a acquired', 'b acquired'])
    expect((await readLease()).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
    expect(twoLed()).toBe(0)
  })

  it('takes over from a leader that died without a word, after its lease has ended', async () => {
    const log: string[] = []
    const a = candidate('a', log)
    await vi.waitFor(() => expect(a.isLeader).toBe(true), patient)
    const b = candidate('b', log)
    await a.stop(false)
    expect((await readLease()).spec?.holderIdentity).toBe('a')
    await vi.waitFor(() => expect(b.isLeader).toBe(true), patient)
    expect(log).toEqual(['a acquired', 'b acquired'])
  })

  it('stops leading before another may lead when it is cut off, and takes part again afterwards', async () => {
    const { proxy, client: detoured } = await proxied(cluster)
    const log: string[] = []
    const a = candidate('a', log, { client: detoured })
    await vi.waitFor(() => expect(a.isLeader).toBe(true), patient)
    const b = candidate('b', log)
    const twoLed = watchForTwo([a, b])
    // Its renewals hang: nothing tells it that they fail.
    proxy.freeze()
    await vi.waitFor(() => expect(b.isLeader).toBe(true), patient)
    await vi.waitFor(() => expect(log).toHaveLength(3), patient)
    expect(log).toEqual(['a acquired', 'a lost', 'b acquired'])
    proxy.thaw()
    proxy.cut()
    await b.stop()
    await vi.waitFor(() => expect(a.isLeader).toBe(true), patient)
    expect(twoLed()).toBe(0)
  })

  it('loses the lease at once when somebody takes it away', async () => {
    const log: string[] = []
    const a = candidate('a', log)
    await vi.waitFor(() => expect(a.isLeader).toBe(true), patient)
    const body = { spec: { holderIdentity: 'thief', leaseDurationSeconds: 600 } }
    const target = { namespace, name: 'ingress-fleet-operator' }
    await client.patch(resources.leases, target, { type: 'merge', body })
    await vi.waitFor(() => expect(log).toEqual(['a acquired', 'a lost']), patient)
    expect(a.leader).toBe('thief')
  })

  it('refuses timings with which two could lead at once', () => {
    const election = () =>
      new LeaderElection({
        client,
        namespace,
        identity: 'a',
        log: silentLog(),
        onAcquired: () => undefined,
        onLost: () => undefined,
        leaseDurationMs: 1000,
        renewDeadlineMs: 1000,
      })
    expect(election).toThrow('must each exceed the next')
  })
})
