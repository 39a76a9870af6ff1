import type { Family } from './events/channel-definition.ts'
import type { Limits } from './limits.ts'
import { type RollingCount, rollingCount } from './rolling-count.ts'

export interface UsageView {
  platform: number
  pushTopic: number
  generic: number
  published: number
  apiRequests: number
}

/** What was drawn from the org's allocations. */
export interface Usage {
  delivered(family: Family, amount: number): void
  exhausted(family: Family): boolean
  /** False when the hour's allocation is used up. */
  publish(amount: number): boolean
  /** False when the day's allocation is used up. */
  apiRequest(): boolean
  /** False when this user has logged in too often within the hour. */
  login(userId: string): boolean
  readonly used: UsageView
}

export function usage(now: () => number, limits: Limits): Usage {
  const day = 86_400_000
  const platform = rollingCount(now, day)
  const pushTopic = rollingCount(now, day)
  const generic = rollingCount(now, day)
  const hour = 3_600_000
  const published = rollingCount(now, hour)
  const apiRequests = rollingCount(now, day)
  const logins = new Map<string, RollingCount>()
  const draw = (count: RollingCount, limit: number, amount = 1): boolean => {
    if (count.used + amount > limit) return false
    count.add(amount)
    return true
  }
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
    publish: (amount) => draw(published, limits.hourlyPublishedEvents, amount),
    apiRequest: () => draw(apiRequests, limits.dailyApiRequests),
    login(userId) {
      const count = logins.get(userId) ?? rollingCount(now, hour)
      logins.set(userId, count)
      return draw(count, limits.hourlyLogins)
    },
    get used() {
      return {
        platform: platform.used,
        pushTopic: pushTopic.used,
        generic: generic.used,
        published: published.used,
        apiRequests: apiRequests.used,
      }
    },
  }
}
