import type { Family } from './events/channel-definition.ts'
import type { Limits } from './limits.ts'
import { rollingCount } from './rolling-count.ts'

/** What was drawn from the org's allocations. */
export interface Usage {
  delivered(family: Family, amount: number): void
  exhausted(family: Family): boolean
  /** False when the hour's allocation is used up. */
  publish(amount: number): boolean
  readonly used: { platform: number; pushTopic: number; generic: number; published: number }
}

export function usage(now: () => number, limits: Limits): Usage {
  const day = 86_400_000
  const platform = rollingCount(now, day)
  const pushTopic = rollingCount(now, day)
  const generic = rollingCount(now, day)
  const published = rollingCount(now, 3_600_000)
  const meter = (family: Family) => {
    switch (family) {
      case 'platform':
        return { count: platform, limit: limits.dailyPlatformEvents }
      case 'push-topic':
        return { count: pushTopic, limit: limits.dailyPushTopicEvents }
      case 'generic':
        return { count: generic, limit: limits.dailyGenericEvents }
      case 'system':
        return undefined
    }
  }
  return {
    delivered: (family, amount) => meter(family)?.count.add(amount),
    exhausted(family) {
      const found = meter(family)
      return found !== undefined && found.count.used >= found.limit
    },
    publish(amount) {
      if (published.used + amount > limits.hourlyPublishedEvents) return false
      published.add(amount)
      return true
    },
    get used() {
      return { platform: platform.used, pushTopic: pushTopic.used, generic: generic.used, published: published.used }
    },
  }
}
