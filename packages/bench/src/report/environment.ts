import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'

/** What a figure stands on. No name of the machine. */
export interface Environment {
  node: string
  platform: string
  cpu: string
  cores: number
  memoryGb: number
  /** Of the last minute: above 0 before the run, others are at work too. */
  load: number
  at: string
}

export function environment(): Environment {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    load: Math.round(loadavg()[0]! * 10) / 10,
    at: new Date().toISOString(),
  }
}

export function environmentText({ node, platform, cpu, cores, memoryGb, load }: Environment): string {
  return `Node ${node}, ${platform}, ${cores} cores (${cpu}), ${memoryGb} GB, load before the run ${load}`
}
