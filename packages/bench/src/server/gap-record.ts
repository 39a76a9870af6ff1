import { monotonicMs } from '../monotonic.ts'
import { rising } from '../stats/summary.ts'
import type { ServerFigures } from './plan.ts'

/** What is counted while a client runs, without a word to anybody until asked. */
export interface GapRecord {
  begin(): void
  gap(ms: number): void
  reply(events: number): void
  figures(): ServerFigures
  reset(): void
}

export function gapRecord(): GapRecord {
  let gapsMs: number[] = []
  let written = 0
  let replies = 0
  let beganMs = monotonicMs()
  let cpu = process.cpuUsage()
  const begin = (): void => {
    gapsMs = []
    replies = 0
    beganMs = monotonicMs()
    cpu = process.cpuUsage()
  }
  return {
    begin,
    gap(ms) {
      gapsMs.push(ms)
    },
    reply(events) {
      replies++
      written += events
    },
    figures() {
      const { user, system } = process.cpuUsage(cpu)
      return { gapsMs: rising(gapsMs), busy: (user + system) / 1_000 / (monotonicMs() - beganMs), written, replies }
    },
    reset() {
      begin()
      written = 0
    },
  }
}
