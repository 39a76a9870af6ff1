/** Facts section 5. */
export interface ChangeEventHeader {
  entityName: string
  recordIds: readonly string[]
  changeType: string
  changeOrigin: string
  transactionKey: string
  sequenceNumber: number
  commitTimestamp: number
  commitNumber: number
  commitUser: string
  changedFields: readonly string[]
  [field: string]: unknown
}

/** What a publisher may say about an event beside its payload; the rest is made up from the seed and the clock. */
export interface PublishExtra {
  /** The id to log it under; that of the event before makes a group of equal ids, as enriched change events do. */
  replayId?: number | bigint
  /** `'same'`: the id of the channel's last event. */
  group?: 'same'
  eventUuid?: string
  /** When the event says it was made: milliseconds since 1970, or an ISO date. */
  createdDate?: number | string
  createdById?: string
  /** Another schema id from here on: the definition changed. */
  schemaVersion?: number
  /** Generic events: for these users alone, as the `userIds` of a push say. Default: all who listen. */
  userIds?: readonly string[]
  /** PushTopics and system topics: created, updated, deleted, undeleted. Default created. */
  type?: string
  /** Change events: CREATE, UPDATE, DELETE, UNDELETE, GAP_…. Default CREATE. */
  changeType?: string
  recordIds?: readonly string[]
  changedFields?: readonly string[]
  /** Anything else of the ChangeEventHeader. */
  header?: Partial<ChangeEventHeader>
}
