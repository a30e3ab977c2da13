import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'
import type { WorkerConfiguration } from '../../src/proxy/worker-protocol.ts'

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
  /** `clientPorts` are those of the client connections that the worker had accepted and not closed. */
  | { readonly report: 'killed'; readonly worker: number; readonly clientPorts: readonly number[] }
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
    const port = socket.remotePort ?? 0
    open.add(port)
    socket.once('close', () => open.delete(port))
  })
  channel.addEventListener('message', event => {
    const { data } = event as { readonly data: HookOrder | HookReport }
    if ('report' in data) return
    if (data.order === 'sample') sample(index, data.collect)
    else if (data.worker === index) {
      tell({ report: 'killed', worker: index, clientPorts: [...open] })
      process.nextTick(() => {
        throw new Error('killed by a test')
      })
    }
  })
}

if (isMainThread) controlMain()
else controlWorker((workerData as WorkerConfiguration).index)
channel.unref()
