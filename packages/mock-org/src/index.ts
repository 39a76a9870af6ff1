export type { Clock } from './clock.ts'
export { systemClock } from './clock.ts'
export type { VirtualClock, VirtualClockOptions } from './virtual-clock.ts'
export { virtualClock } from './virtual-clock.ts'
