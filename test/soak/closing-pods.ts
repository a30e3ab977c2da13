import { type Failure, LoadClient, type LoadClientOptions } from './load-client.ts'
import { Stage } from './stage.ts'

export interface ClosingPodsPlan {
  readonly program: string
  readonly requests: number
  readonly ratePerSecond: number
  /** Kept connections that the pods close by themselves. */
  readonly closesPerSecond: number
  /** Pods that end before their EndpointSlice says so. */
  readonly suddenEnds: number
}

export interface ClosingPodsReport {
  readonly sent: number
  readonly posts: number
  /** Requests that may be repeated: none may fail. */
  readonly failures: readonly Failure[]
  /** Requests that must not be repeated once they were sent (RFC 9110 section 9.2.2), answered with 502. */
  readonly failedPosts: readonly Failure[]
  /** Of all requests that change something, those that reached a pod more than once, or were answered and did not. */
  readonly notOnce: readonly number[]
  readonly retries: number
  /** Lines of the proxy's log that tell of trouble. */
  readonly complaints: readonly unknown[]
  readonly latencies: string
}

const mix: LoadClientOptions['mix'] = { small: 60, chunked: 10, large: 0, post: 20, 'post-chunked': 10, websocket: 0 }

/** Pods at their worst: they close kept connections whenever they like, and end without a word. */
export async function runClosingPods(plan: ClosingPodsPlan): Promise<ClosingPodsReport> {
  await using stage = await new Stage({ instances: 1, program: plan.program, workers: 2 }).set()
  const client = new LoadClient({ ratePerSecond: plan.ratePerSecond, mix, secureShare: 0.2, freshShare: 0.1 })
  client.targets = stage.targets
  client.connections.members = stage.members
  client.connections.certificateNames = [stage.writeCertificate(0)]
  await stage.pods.closeKept(plan.closesPerSecond)
  client.start()
  for (let end = 0; end < plan.suddenEnds; end++) {
    await client.untilSent(((end + 0.5) * plan.requests) / plan.suddenEnds)
    const of = stage.services[end % stage.services.length]
    if (of !== undefined) await stage.replacePod(of, old => stage.pods.close(old))
  }
  await client.untilSent(plan.requests)
  await client.stop()
  const sightings = await stage.pods.sightings()
  const retries = (await stage.instances[0]?.metrics())?.get('upstream_retries_total') ?? 0
  const isPost = ({ kind }: Failure): boolean => kind === 'post' || kind === 'post-chunked'
  const failedPosts = client.failures.filter(failure => isPost(failure) && failure.why === 'status 502')
  return {
    sent: client.sent,
    posts: client.answered.post + client.answered['post-chunked'] + failedPosts.length,
    failures: client.failures.filter(failure => !failedPosts.includes(failure)),
    failedPosts,
    notOnce: [
      ...client.answeredPosts.filter(id => sightings[id] !== 1),
      ...failedPosts.map(({ id }) => id).filter(id => (sightings[id] ?? 0) > 1),
    ],
    retries,
    complaints: stage.instances.flatMap(instance => instance.complaints),
    latencies: String(client.latencies),
  }
}
