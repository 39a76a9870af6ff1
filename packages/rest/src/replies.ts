import * as v from 'valibot'

export interface ApiVersion {
  /** Such as `66.0`. */
  version: string
  label: string
  url: string
}

export interface Limit {
  Max: number
  Remaining: number
}

/** By name, such as `HourlyPublishedPlatformEvents`; the names differ from org to org. */
export type Limits = Readonly<Record<string, Limit>>

export interface PublishResult {
  /** The id Salesforce gave the publish request, not the event's. */
  id: string
  /** Names the event to its subscribers; undefined where the org does not tell. */
  eventUuid: string | undefined
}

export interface PushResult {
  /** Subscribers reached; -1 for a broadcast, where the org does not count. */
  fanoutCount: number
  /** By user id, for pushes to named users. */
  userOnlineStatus: Readonly<Record<string, boolean>>
}

export const versionList = v.array(
  v.looseObject({ version: v.string(), label: v.optional(v.string(), ''), url: v.optional(v.string(), '') }),
)

export const limitList = v.record(v.string(), v.looseObject({ Max: v.number(), Remaining: v.number() }))

export const publishReply = v.looseObject({
  id: v.string(),
  success: v.boolean(),
  errors: v.optional(v.array(v.looseObject({ statusCode: v.optional(v.string(), ''), message: v.optional(v.string(), '') })), []),
})

export const pushReply = v.pipe(
  v.array(v.looseObject({ fanoutCount: v.number(), userOnlineStatus: v.optional(v.record(v.string(), v.boolean()), {}) })),
  v.minLength(1),
)

export const channelRecords = v.looseObject({ records: v.array(v.looseObject({ Id: v.string(), Name: v.string() })) })
