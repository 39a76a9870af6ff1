/** The allocations of an edition: Streaming API and Platform Events guides, "Allocations". */
export interface Limits {
  /** Client slots: sessions that neither disconnected nor expired. */
  concurrentClients: number
  /** Platform and change events delivered in 24 hours, counted per subscriber. */
  dailyPlatformEvents: number
  /** PushTopic events delivered in 24 hours. */
  dailyPushTopicEvents: number
  /** Generic events delivered in 24 hours. */
  dailyGenericEvents: number
  /** Platform events published in an hour. */
  hourlyPublishedEvents: number
  /** Generic channels, whether defined or made by a subscriber. */
  streamingChannels: number
  /** REST requests in 24 hours. */
  dailyApiRequests: number
  /** Logins of one user in an hour. */
  hourlyLogins: number
}

export type Edition = 'performance' | 'enterprise' | 'developer' | 'professional'

export function limitsOf(edition: Edition): Limits {
  switch (edition) {
    case 'performance':
      return allocations(2_000, 50_000, 1_000_000, 1_000_000, 250_000, 1_000)
    case 'enterprise':
      return allocations(1_000, 25_000, 200_000, 200_000, 250_000, 1_000)
    case 'developer':
      return allocations(20, 10_000, 10_000, 10_000, 50_000, 200)
    case 'professional':
      return allocations(20, 25_000, 50_000, 100_000, 250_000, 1_000)
  }
}

function allocations(clients: number, platform: number, pushTopic: number, generic: number, published: number, channels: number): Limits {
  return {
    concurrentClients: clients,
    dailyPlatformEvents: platform,
    dailyPushTopicEvents: pushTopic,
    dailyGenericEvents: generic,
    hourlyPublishedEvents: published,
    streamingChannels: channels,
    dailyApiRequests: 100_000,
    hourlyLogins: 3_600,
  }
}
