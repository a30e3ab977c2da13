import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'
import type { WorkerIdentity } from '../../src/proxy/worker-protocol.ts'
import { connectionKey } from './connection-key.ts'

/**
 * Loaded by `--import` into every thread of a `serve` process, beside the program and not part of it: it ends a data
 * worker by an uncaught error when asked to, says which connections that worker had, and how large each heap is.
 */

/** From the parent process, through the main thread, to the data workers. */
export type HookOrder =
  | { readonly order: 'kill'; readonly worker: number }
  /** With `collect` after a full collection of garbage. */
  | { readonly order: 'sample'; readonly collect: boolean }

export type HookReport =
  /** With the client connections that the worker had accepted and not closed, each as `connectionKey` names it. */
  | { readonly report: 'killed'; readonly worker: number; readonly connections: readonly number[] }
  /** `worker` is -1 for the control thread. */
  | { readonly report: 'heap'; readonly worker: number; readonly usedBytes: number }

const channel = new BroadcastChannel('instance-hook')

function tell(report: HookReport): void {
  if (isMainThread) process.send?.(report)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel between threads, no window
  else channel.postMessage(report)
}

function sample(worker: number, collect: boolean): void {
  if (collect) globalThis.gc?.()
  tell({ report: 'heap', worker, usedBytes: process.memoryUsage().heapUsed })
}

function controlMain(): void {
  process.on('message', (order: HookOrder) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel between threads, no window
    channel.postMessage(order)
    if (order.order === 'sample') sample(-1, order.collect)
  })
  channel.addEventListener('message', event => {
    const { data } = event as { readonly data: HookOrder | HookReport }
    if ('report' in data) process.send?.(data)
  })
}

function controlWorker(index: number): void {
  const open = new Set<number>()
  subscribe('net.server.socket', message => {
    const { socket } = message as { readonly socket: Socket }
    const key = connectionKey(socket.localPort ?? 0, socket.remotePort ?? 0)
    open.add(key)
    socket.once('close', () => open.delete(key))
  })
  channel.addEventListener('message', event => {
    const { data } = event as { readonly data: HookOrder | HookReport }
    if ('report' in data) return
    if (data.order === 'sample') sample(index, data.collect)
    else if (data.worker === index) {
      tell({ report: 'killed', worker: index, connections: [...open] })
      process.nextTick(() => {
        throw new Error('killed by a test')
      })
    }
  })
}

if (isMainThread) controlMain()
else controlWorker((workerData as WorkerIdentity).index)
channel.unref()
