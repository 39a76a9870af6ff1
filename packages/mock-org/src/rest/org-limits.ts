import type { World } from '../world.ts'
import { restJson } from './rest-reply.ts'

/** `GET /limits`. */
export function orgLimits(world: World): Response {
  const { limits, usage } = world
  const { used } = usage
  const entry = (max: number, taken: number) => ({ Max: max, Remaining: Math.max(0, max - taken) })
  const clients = entry(limits.concurrentClients, world.sessions.all().length)
  return restJson({
    DailyApiRequests: entry(limits.dailyApiRequests, used.apiRequests),
    DailyDeliveredPlatformEvents: entry(limits.dailyPlatformEvents, used.platform),
    DailyDurableStreamingApiEvents: entry(limits.dailyPushTopicEvents, used.pushTopic),
    DailyGenericStreamingApiEvents: entry(limits.dailyGenericEvents, used.generic),
    DailyStreamingApiEvents: entry(limits.dailyPushTopicEvents, used.pushTopic),
    DurableStreamingApiConcurrentClients: clients,
    HourlyPublishedPlatformEvents: entry(limits.hourlyPublishedEvents, used.published),
    StreamingApiConcurrentClients: clients,
  })
}
