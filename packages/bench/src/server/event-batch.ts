export interface BatchShape {
  /** Events in one reply. */
  events: number
  /** Bytes of one event on the wire, about; smaller than its envelope is as small as the envelope. */
  eventBytes: number
  /** Events go to these in turn. */
  channels: readonly string[]
}

/** The bytes of a reply's events, prepared but for what differs from event to event: its number and its stamp. */
export interface EventBatch {
  readonly events: number
  /** `event,event,…`, numbered from `first`; all of them, or the first `count`. A new buffer: the last one may still be on its way out. */
  fill(first: number, stampUs?: number, count?: number): Buffer
}

/** Replay ids of an org have nine digits and more; a fixed width lets digits be put in place. */
export const firstNumber = 100_000_000
const numberWidth = 9
const stampWidth = 16

export function eventBatch({ events, eventBytes, channels }: BatchShape): EventBatch {
  const created = new Date().toISOString()
  const parts: string[] = []
  const numbersAt: number[] = []
  const stampsAt: number[] = []
  const ends: number[] = []
  let length = 0
  const put = (text: string): void => {
    parts.push(text)
    length += text.length
  }
  const hole = (places: number[], width: number): void => {
    places.push(length)
    put('0'.repeat(width))
  }
  for (let at = 0; at < events; at++) {
    const start = length
    if (at > 0) put(',')
    put(`{"data":{"schema":"dffQ2QLzDNHqwB8_sHMxdA","payload":{"CreatedDate":"${created}","CreatedById":"005D0000001cSZs","Number__c":`)
    hole(numbersAt, numberWidth)
    put(',"Stamp__c":"')
    hole(stampsAt, stampWidth)
    put('","Text__c":"')
    const text = parts.length
    put('')
    put('"},"event":{"EventUuid":"7a1c7ef2-58f5-4a4a-9d5d-0a2')
    hole(numbersAt, numberWidth)
    put('","replayId":')
    hole(numbersAt, numberWidth)
    put(`}},"channel":"${channels[at % channels.length]}"}`)
    const filler = 'Lorem ipsum dolor sit amet '.repeat(Math.ceil(eventBytes / 27)).slice(0, Math.max(0, eventBytes - (length - start)))
    parts[text] = filler
    length += filler.length
    // What follows the filler has moved by its length: the number in the uuid, and the replay id.
    for (let back = numbersAt.length - 2; back < numbersAt.length; back++) numbersAt[back]! += filler.length
    ends.push(length)
  }
  const template = Buffer.from(parts.join(''), 'latin1')
  const numbersEach = 3
  return {
    events,
    fill(first, stampUs = 0, count = events) {
      const bytes = Buffer.from(template.subarray(0, ends[count - 1] ?? 0))
      for (let at = 0; at < count * numbersEach; at++) putDigits(bytes, numbersAt[at]!, numberWidth, first + Math.floor(at / numbersEach))
      if (stampUs > 0) for (let at = 0; at < count; at++) putDigits(bytes, stampsAt[at]!, stampWidth, stampUs)
      return bytes
    },
  }
}

function putDigits(bytes: Buffer, place: number, width: number, value: number): void {
  for (let at = place + width - 1; at >= place; at--) {
    const rest = Math.floor(value / 10)
    bytes[at] = 48 + (value - rest * 10)
    value = rest
  }
}
